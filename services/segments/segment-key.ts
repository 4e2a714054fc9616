import { type ByteRange, formatRange } from '#kernel/byte-range';

/** What is wanted: a resource, or a part of it. */
export type Wish = {
  /** Names it: stream, source and URL. Equal names mean equal bytes. */
  readonly resource: string;
  /** The part that is wanted; absent: the whole. */
  readonly range?: ByteRange | undefined;
};

/** No URL has one. */
const SEPARATOR = '\n';

export const keyOf = ({ resource, range }: Wish): string =>
  range ? `${resource}${SEPARATOR}${formatRange(range)}` : resource;

/** Under which keys it may be found: the whole serves for each of its parts. */
export const keysOf = (wish: Wish): readonly string[] =>
  wish.range ? [wish.resource, keyOf(wish)] : [wish.resource];

export const resourceOf = (key: string): string => key.split(SEPARATOR, 1)[0] ?? key;
