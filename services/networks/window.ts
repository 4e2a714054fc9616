/** One segment in the playlist. */
export type ListedSegment = {
  readonly number: number;
  readonly seconds: number;
  /** When its first picture was shown, epoch milliseconds. */
  readonly atMs: number;
  /** Its times and codecs have nothing to do with those before. */
  readonly isDiscontinuous: boolean;
};

/** What a playlist says. */
export type SegmentWindow = {
  readonly segments: readonly ListedSegment[];
  /** Discontinuities that have left the window (RFC 8216 §4.3.3.3). */
  readonly gone: number;
  /** Never shrinks while the playlist lives. */
  readonly targetSeconds: number;
};

export const NO_SEGMENTS: SegmentWindow = { segments: [], gone: 0, targetSeconds: 1 };

export const lastOf = ({ segments }: SegmentWindow): number | null =>
  segments.at(-1)?.number ?? null;

/** @param most - Segments that stay; 0 keeps all. */
export function withSegment(
  { segments, gone, targetSeconds }: SegmentWindow,
  segment: ListedSegment,
  most: number,
): SegmentWindow {
  const all = [...segments, segment];
  const surplus = most === 0 ? 0 : Math.max(0, all.length - most);
  const left = all.slice(0, surplus).filter(({ isDiscontinuous }) => isDiscontinuous).length;
  return {
    segments: all.slice(surplus),
    gone: gone + left,
    targetSeconds: Math.max(targetSeconds, Math.round(segment.seconds)),
  };
}

export type Opening = {
  readonly window: SegmentWindow;
  readonly firstNumber: number;
  /** The first segment is marked. */
  readonly isDiscontinuous: boolean;
};

/**
 * With which number a programme goes on from what lies there. Numbers in a playlist have no holes
 * (RFC 8216 §4.3.2): one that does not follow begins a window of its own.
 */
export function openingOf(
  { asked, manner }: { readonly asked: number; readonly manner: 'fresh' | 'asked' | 'onward' },
  there: SegmentWindow,
  lastNumber: number | null,
): Opening {
  const last = lastOf(there) ?? lastNumber;
  const follows = last === null ? 0 : last + 1;
  const firstNumber = manner === 'onward' ? Math.max(asked, follows) : asked;
  const isKept = there.segments.length > 0 && firstNumber === follows && manner !== 'fresh';
  const window = isKept ? there : { ...NO_SEGMENTS, gone: there.gone };
  return { window, firstNumber, isDiscontinuous: isKept };
}
