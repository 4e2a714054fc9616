import { type ByteRange, type RangeCondition, spanOf as placeOf } from '#kernel/byte-range';
import type { Part } from './pour.ts';
import type { FetchHead } from './shared-fetch.ts';

/** What to answer a request for a resource, or a part of it, with what was fetched. */
export type RangeAnswer = {
  readonly status: 200 | 206 | 416;
  /** Which bytes of the fetched body. */
  readonly part: Part;
  /** Of the answer, where it is known. */
  readonly lengthBytes: number | undefined;
  readonly contentRange: string | undefined;
};

export type RangeRequest = {
  readonly range?: ByteRange;
  readonly condition?: RangeCondition;
};

/**
 * Where the part that a player wants lies in what its source gave: a whole, of which it is cut
 * out, or the part itself (RFC 9110 §14 and §15.5.17).
 */
export function answerTo({ range }: RangeRequest, head: FetchHead): RangeAnswer {
  if (head.status === 206 && (range || !isAllOfIt(head))) return partAsItCame(head);
  const total = head.span?.total;
  const whole: RangeAnswer = {
    status: 200,
    part: { first: 0, last: total === undefined ? undefined : total - 1 },
    lengthBytes: total,
    contentRange: undefined,
  };
  return range ? cutOut(range, head, whole) : whole;
}

function cutOut(range: ByteRange, head: FetchHead, whole: RangeAnswer): RangeAnswer {
  const total = head.span?.total;
  // A compressed whole cannot be cut by offsets that its playlist means uncompressed.
  if (head.headers.has('content-encoding')) return whole;
  if (total === undefined) return cutBlindly(range) ?? whole;
  const place = placeOf(range, total);
  if (!place) {
    const none = { part: { first: 0, last: -1 }, lengthBytes: 0 };
    return { status: 416, ...none, contentRange: `bytes */${total}` };
  }
  return partOf(place, total);
}

/** Whether the resource is still the one that the player has a part of (RFC 9110 §13.1.5). */
export function holds(condition: RangeCondition | undefined, { headers }: FetchHead): boolean {
  if (!condition) return true;
  if (condition.kind === 'date') return condition.date === headers.get('last-modified');
  return !condition.etag.startsWith('W/') && condition.etag === headers.get('etag');
}

/** Some servers call the whole a part, whatever they were asked for. */
const isAllOfIt = ({ span }: FetchHead): boolean =>
  span?.first === 0 && span.last !== undefined && span.last + 1 === span.total;

function partAsItCame({ span, headers }: FetchHead): RangeAnswer {
  const { first = 0, last } = span ?? {};
  const lengthBytes = last === undefined ? undefined : last - first + 1;
  return {
    status: 206,
    part: { first: 0, last: lengthBytes === undefined ? undefined : lengthBytes - 1 },
    lengthBytes,
    contentRange: headers.get('content-range'),
  };
}

/** Both ends were named, and nobody said how long the whole is: the cut is made all the same. */
function cutBlindly(range: ByteRange): RangeAnswer | undefined {
  if (range.kind === 'suffix' || range.last === undefined) return undefined;
  return partOf({ first: range.first, last: range.last }, undefined);
}

const partOf = (
  { first, last }: { readonly first: number; readonly last: number },
  total: number | undefined,
): RangeAnswer => ({
  status: 206,
  part: { first, last },
  lengthBytes: last - first + 1,
  contentRange: `bytes ${first}-${last}/${total ?? '*'}`,
});
