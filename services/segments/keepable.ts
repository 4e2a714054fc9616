import type { KeptBody } from './kept-body.ts';
import { looksWhole } from './looks-whole.ts';
import type { FetchHead } from './shared-fetch.ts';

/** What of a fetch may be kept for others, and as what. */
export type Keepable = { readonly head: FetchHead; readonly body: KeptBody };

type Ended = {
  readonly head: FetchHead | undefined;
  readonly kept: KeptBody | undefined;
  readonly failure: unknown;
};

/** A body that is kept and whole, with a head that says how long it is; nothing otherwise. */
export function keepableOf({ head, kept: body, failure }: Ended): Keepable | undefined {
  if (!head || !body || failure !== undefined || head.status >= 300) return undefined;
  return isProved(head, body) ? { head: withLength(head, body.endBytes), body } : undefined;
}

/** A body without a length that simply ended may have been cut: then its structure must say. */
function isProved({ headers, span }: FetchHead, body: KeptBody): boolean {
  const isFramed = span?.last !== undefined || headers.has('transfer-encoding');
  return isFramed || looksWhole(body.bytes);
}

/** Now that it is here, its length is known, whoever did not say it. */
const withLength = (head: FetchHead, bytes: number): FetchHead =>
  head.span && head.status === 200
    ? { ...head, span: { ...head.span, last: bytes - 1, total: bytes } }
    : head;

/** What its owner wants on no disk is on none of ours; in memory it lives as long as its list. */
export const forbidsStoring = ({ headers }: FetchHead): boolean =>
  /\bno-store\b/i.test(headers.get('cache-control') ?? '');
