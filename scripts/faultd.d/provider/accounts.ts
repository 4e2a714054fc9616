/** How a request says whose it is. */
export type Naming =
  /** The beginning of the path, as `/live/:account/:password`; the rest of it finds the route. */
  { readonly path: string } | { readonly query: string };

export type Account = {
  /** Connections at once. */
  readonly connections: number;
  /** What one too many gets: a status, or the place of the oldest. */
  readonly answer: number | 'kill-oldest';
  /** A closed connection keeps its place for so long. */
  readonly releaseMs: number;
};

export type AccountsOptions = {
  readonly naming: Naming;
  readonly members: Readonly<Record<string, Account>>;
  /** What a request without a known account gets; none: it is served without a limit. */
  readonly strangers: number | undefined;
};

/** Who asks, if known, and for which address once the name is taken away. */
export type Caller = { readonly account: string | undefined; readonly path: string };

/** The accounts of a provider: whose request it is, and what its owner may have. */
export class Accounts {
  readonly members: ReadonlyMap<string, Account>;
  readonly strangers: number | undefined;
  readonly #naming: Naming;

  constructor({ naming, members, strangers }: AccountsOptions) {
    this.#naming = naming;
    this.members = new Map(Object.entries(members));
    this.strangers = strangers;
  }

  identify(url: string): Caller {
    const { account, path } = this.#named(url);
    return { account: this.members.has(account ?? '') ? account : undefined, path };
  }

  #named(url: string): Caller {
    const [path = '/', query = ''] = url.split('?');
    if ('query' in this.#naming) {
      return { account: new URLSearchParams(query).get(this.#naming.query) ?? undefined, path };
    }
    const pattern = this.#naming.path.split('/').filter(Boolean);
    const parts = path.split('/').slice(1);
    const isNamed = parts.length > pattern.length && pattern.every(fits(parts));
    if (!isNamed) return { account: undefined, path };
    const account = parts[pattern.indexOf(':account')];
    return { account, path: `/${parts.slice(pattern.length).join('/')}` };
  }
}

const fits =
  (parts: readonly string[]) =>
  (word: string, index: number): boolean =>
    word.startsWith(':') || word === parts[index];
