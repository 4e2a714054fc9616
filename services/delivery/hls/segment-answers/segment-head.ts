import type { Target } from '#hls';
import { spanOf } from '#segments';
import type { FetchHead, RangeRequest } from '#segments';
import { formatRange } from '#kernel/byte-range';
import type { Source } from '#streams';
import type { SegmentOpener } from './segment-opener.ts';

const NOTHING = Buffer.alloc(0);

/**
 * What a source says of a resource when it is asked for nothing else. Nothing when it does not
 * answer such questions: then only asking for the resource tells.
 */
export async function headAtSource(
  opener: SegmentOpener,
  { source, target, ranges }: { source: Source; target: Target; ranges: RangeRequest },
  signal: AbortSignal,
): Promise<FetchHead | undefined> {
  const range = ranges.range && formatRange(ranges.range);
  const response = await opener.open(source, { target, range, method: 'HEAD' }, signal);
  response.close();
  const { status, headers } = response;
  if (status >= 300) return undefined;
  return { status, headers, span: spanOf(response), first: NOTHING };
}
