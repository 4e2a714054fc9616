import type { IncomingHttpHeaders } from 'node:http';
import { Changes } from './changes.ts';
import { type Counts, Tally } from './tally.ts';

/** Older requests are forgotten, though not counted off. */
const MOST_REQUESTS = 10_000;

/** One request as the provider saw it; the last five change while it is served. */
export type Recorded = {
  readonly method: string;
  /** Without the query, and without the account when that is in the path. */
  readonly path: string;
  readonly account: string | undefined;
  /** As in the request line. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly atMs: number;
  /** Requests on one connection have the same. */
  readonly socketId: number;
  status: number;
  sentBytes: number;
  open: boolean;
  /** Who ended the response; `undefined` while it is open. */
  endedBy: 'provider' | 'client' | undefined;
  endedAtMs: number | undefined;
};

/** Under which names a request is counted, beside the total. */
export type Subjects = { readonly source: string; readonly account: string | undefined };

/** All requests, and who waits for something to show in them. */
export class Ledger {
  readonly requests: Recorded[] = [];
  readonly #changes = new Changes();
  readonly #peaks = new Map<string, number>();
  readonly #counted = new WeakMap<Recorded, readonly Tally[]>();
  readonly #released = new WeakSet<Recorded>();
  readonly #total = new Tally();
  readonly #sources = new Map<string, Tally>();
  readonly #accounts = new Map<string, Tally>();
  sockets = 0;
  maxSockets = 0;

  add(request: Recorded, subjects: Subjects): void {
    const tallies = this.#talliesOf(subjects);
    for (const tally of tallies) tally.opened();
    this.#counted.set(request, tallies);
    this.#keep(request);
    for (const key of ['*', request.path]) {
      this.#peaks.set(key, Math.max(this.#peaks.get(key) ?? 0, this.open(key)));
    }
    this.changed();
  }

  /** A request that came above a limit, or from nobody known: it takes no place. */
  refuse(request: Recorded, subjects: Subjects): void {
    for (const tally of this.#talliesOf(subjects)) tally.refusedOne();
    this.#keep(request);
    this.changed();
  }

  sent(request: Recorded, bytes: number): void {
    request.sentBytes += bytes;
    for (const tally of this.#counted.get(request) ?? []) tally.sent(bytes);
    this.changed();
  }

  /** Its place is taken by another request. */
  kill(request: Recorded): void {
    for (const tally of this.#counted.get(request) ?? []) tally.killedOne();
    this.#release(request);
  }

  ended(request: Recorded, by: NonNullable<Recorded['endedBy']>): void {
    request.endedBy ??= by;
    request.endedAtMs = performance.now();
    request.open = false;
    this.#release(request);
    this.changed();
  }

  /** Requests of an account that take a place: open, or closed less than `releaseMs` ago. */
  holdersOf(account: string, releaseMs: number): readonly Recorded[] {
    const now = performance.now();
    return this.requests.filter(
      (request) =>
        request.account === account &&
        this.#counted.has(request) &&
        (request.open || now - (request.endedAtMs ?? 0) < releaseMs),
    );
  }

  /** Since the start: all, each source, each account that came. */
  get counts() {
    return {
      total: this.#total.counts,
      sources: countsOf(this.#sources),
      accounts: countsOf(this.#accounts),
    };
  }

  of(path: string): readonly Recorded[] {
    return this.requests.filter((request) => matches(request, path));
  }

  /** Responses that are being sent now; of one address, below one folder, or `*` of all. */
  open(path = '*'): number {
    return this.of(path).filter((request) => request.open).length;
  }

  maxOpen(path = '*'): number {
    return this.#peaks.get(path) ?? 0;
  }

  socketOpened(): number {
    this.sockets += 1;
    this.maxSockets = Math.max(this.maxSockets, this.sockets);
    this.changed();
    return this.sockets;
  }

  socketClosed(): void {
    this.sockets -= 1;
    this.changed();
  }

  changed(): void {
    this.#changes.tell();
  }

  /** Waits for a condition to become true, looking again at every change. */
  until(condition: () => boolean, deadlineMs: number): Promise<void> {
    const look = (): true | undefined => condition() || undefined;
    return this.#changes.until(look, deadlineMs, () => this.#tooLate(condition, deadlineMs));
  }

  #keep(request: Recorded): void {
    this.requests.push(request);
    if (this.requests.length <= MOST_REQUESTS) return;
    const oldest = this.requests.findIndex(({ open }) => !open);
    if (oldest !== -1) this.requests.splice(oldest, 1);
  }

  #talliesOf({ source, account }: Subjects): readonly Tally[] {
    const named = account === undefined ? [] : [tallyOf(this.#accounts, account)];
    return [this.#total, tallyOf(this.#sources, source), ...named];
  }

  /** Once: a killed request closes a moment later. */
  #release(request: Recorded): void {
    if (this.#released.has(request)) return;
    this.#released.add(request);
    for (const tally of this.#counted.get(request) ?? []) tally.closed();
  }

  #tooLate(condition: () => boolean, deadlineMs: number): Error {
    const lines = this.requests.map(
      ({ method, url, status, sentBytes, open, endedBy }) =>
        `${method} ${url} → ${status}, ${sentBytes} bytes, ${open ? 'open' : `ended by ${endedBy}`}`,
    );
    const seen = lines.length === 0 ? 'no request' : lines.slice(-20).join('\n');
    return new Error(`Not within ${deadlineMs} ms: ${String(condition)}\nSeen:\n${seen}`);
  }
}

const matches = ({ path }: Recorded, wanted: string): boolean =>
  wanted === '*' || path === wanted || (wanted.endsWith('/') && path.startsWith(wanted));

function tallyOf(tallies: Map<string, Tally>, name: string): Tally {
  const tally = tallies.get(name) ?? new Tally();
  tallies.set(name, tally);
  return tally;
}

const countsOf = (tallies: ReadonlyMap<string, Tally>): Readonly<Record<string, Counts>> =>
  Object.fromEntries([...tallies].map(([name, tally]) => [name, tally.counts]));
