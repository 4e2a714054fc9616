import type { Egress } from './egress.ts';

/** What a source is asked with. */
export type Headers = Readonly<Record<string, string>>;

/** How many connections a provider takes at once from one account. */
export type ProviderLimit = {
  /** Names the account: the same text for all streams of it. Holds a user name: a secret. */
  readonly account: string;
  /** At least 1. */
  readonly maxOpen: number;
  /** Whose connections these are. */
  readonly streamId?: string;
};

const EGRESS = Symbol('egress');
const LIMIT = Symbol('limit');

type Knowing = Headers & {
  readonly [EGRESS]?: Egress | undefined;
  readonly [LIMIT]?: ProviderLimit | undefined;
};

/**
 * Headers that know by which way they go out. The way travels with them, through copies by spread
 * too: whoever sends the source's headers takes the source's way. Leave some out with
 * {@link headersWithout}, never by `Object.entries`. On the wire and in JSON nothing of it is seen.
 */
export const headersVia = (egress: Egress | undefined, headers: Headers): Headers =>
  knowing({ ...headers, [EGRESS]: egress });

/** Headers that know, in the same manner, the limit of the account that they are sent for. */
export const headersWithin = (limit: ProviderLimit | undefined, headers: Headers): Headers =>
  limit ? knowing({ ...headers, [LIMIT]: limit }) : headers;

/** Some of these headers, with all that they know. */
export function headersWithout(headers: Headers, isUnwanted: (name: string) => boolean): Headers {
  const kept = Reflect.ownKeys(headers).filter(
    (name) => typeof name === 'symbol' || !isUnwanted(name),
  );
  return Object.fromEntries(kept.map((name) => [name, Reflect.get(headers, name) as string]));
}

/** What apps give with a stream to be let in: it stays with the origin that it is meant for. */
const SECRETS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization']);

/** The headers for one URL as they may be sent to another, to which the first has led. */
export const headersBeyond = (
  headers: Headers,
  { from, to }: { readonly from: string; readonly to: string },
): Headers =>
  new URL(from).origin === new URL(to).origin
    ? headers
    : headersWithout(headers, (name) => SECRETS.has(name.toLowerCase()));

/** Whether these headers have been told a way, be it the default one. */
export const knowWay = (headers: Headers): boolean => EGRESS in headers;

/** The way of these headers; absent: the default one. */
export const egressOf = (headers: Headers): Egress | undefined => (headers as Knowing)[EGRESS];

/** The limit that requests with these headers count against; absent: none. */
export const limitOf = (headers: Headers): ProviderLimit | undefined => (headers as Knowing)[LIMIT];

const knowing = (headers: Knowing): Headers => headers;
