import type { ViewerRequest } from '#streams';
import type { ByteRange, RangeCondition } from '#kernel/byte-range';

/** A player's request for a file, or for a part of it. */
export type FileRequest = {
  readonly viewer: ViewerRequest;
  /** HEAD is answered with what GET would say, with a range too. */
  readonly method: 'GET' | 'HEAD';
  /** Absent: the whole file. */
  readonly range?: ByteRange;
  /** The range counts only while this holds; else the whole file is the answer. */
  readonly condition?: RangeCondition;
};
