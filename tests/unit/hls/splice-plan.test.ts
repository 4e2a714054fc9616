import { describe, expect, it } from 'vitest';
import { splitSequence, stepTrack, wholeSequence, windowOf } from '#hls';
import type { ShownTrack } from '#hls';
import type { Arrival, SplicePlan } from '../../../services/hls/splice-plan.ts';

const TARGET_MS = 4_000;

type Shown = {
  readonly first: number;
  readonly count: number;
  readonly atMs: number;
  readonly source?: string;
  readonly marks?: readonly number[];
  readonly marksBefore?: number;
  readonly isTrimmable?: boolean;
};

const arrival = ({
  first,
  count,
  atMs,
  source = 'a',
  marks = [],
  marksBefore = 0,
  isTrimmable = true,
}: Shown): Arrival => ({
  source,
  nowMs: atMs,
  targetDurationMs: TARGET_MS,
  window: {
    firstSequence: first,
    segmentCount: count,
    discontinuities: marks,
    discontinuitySequence: marksBefore,
    isTrimmable,
  },
});

/** The plan for the last of these playlists. */
function planAfter(...playlists: Shown[]): SplicePlan | undefined {
  let shown: ShownTrack | undefined;
  let plan: SplicePlan | undefined;
  for (const playlist of playlists) ({ shown, plan } = stepTrack(shown, arrival(playlist)));
  return plan;
}

const ofB = (first: number, atMs: number, marks: readonly number[]): Shown => ({
  first,
  count: 4,
  atMs,
  source: 'b',
  marks,
});

const before: Shown = { first: 100, count: 5, atMs: 0 };

describe('stepTrack', () => {
  it('changes nothing while the source stays the same', () => {
    expect(planAfter(before, { first: 101, count: 5, atMs: 4_000 })).toBeUndefined();
    expect(planAfter(before, { first: 200, count: 5, atMs: 400_000 })).toBeUndefined();
    expect(planAfter(before, { first: 99, count: 5, atMs: 1_000 })).toBeUndefined();
  });

  it.each([
    ['at once: only the newest segment', 0, 4],
    ['within a segment: only the newest', 3_900, 4],
    ['two and a half segments later: three', 10_000, 2],
    ['long after: the whole window', 60_000, 0],
  ])('shows of another source what has passed meanwhile: %s', (_name, atMs, hide) => {
    expect(planAfter(before, { first: 7, count: 5, atMs, source: 'b' })).toEqual({
      hide,
      offset: 105 - (7 + hide),
      firstSequence: 105,
      discontinuitySequence: 0,
      marksDiscontinuity: true,
    });
  });

  it('goes on at the very next number when the other source counts alike', () => {
    expect(planAfter(before, { first: 102, count: 5, atMs: 60_000, source: 'b' })).toMatchObject({
      hide: 3,
      offset: 0,
      firstSequence: 105,
    });
  });

  it('leaves nothing out where a byte range goes on from the segment before', () => {
    const ranges = { first: 7, count: 5, atMs: 0, source: 'b', isTrimmable: false };
    expect(planAfter(before, ranges)).toMatchObject({ hide: 0, firstSequence: 105 });
  });

  it('keeps the join in place while the new window slides over it, then counts the discontinuity', () => {
    const join = { first: 7, count: 5, atMs: 0, source: 'b' };
    expect(planAfter(before, join, { first: 9, count: 5, atMs: 8_000, source: 'b' })).toMatchObject(
      {
        hide: 2,
        firstSequence: 105,
        discontinuitySequence: 0,
        marksDiscontinuity: true,
      },
    );
    expect(
      planAfter(before, join, { first: 12, count: 5, atMs: 20_000, source: 'b' }),
    ).toMatchObject({
      hide: 0,
      firstSequence: 106,
      discontinuitySequence: 1,
      marksDiscontinuity: false,
    });
  });

  it('takes a source that starts over with lower numbers for another one', () => {
    expect(planAfter(before, { first: 0, count: 2, atMs: 8_000 })).toMatchObject({
      hide: 0,
      firstSequence: 105,
      marksDiscontinuity: true,
    });
  });

  it('comes back to the first source without stepping back', () => {
    const away = { first: 7, count: 5, atMs: 0, source: 'b' };
    expect(planAfter(before, away, { first: 110, count: 5, atMs: 8_000 })).toMatchObject({
      firstSequence: 106,
      discontinuitySequence: 1,
      marksDiscontinuity: true,
    });
  });

  it('carries discontinuities of both sources on', () => {
    const marked = { first: 100, count: 5, atMs: 0, marks: [1, 3], marksBefore: 7 };
    const other = { first: 7, count: 5, atMs: 8_000, source: 'b', marks: [0, 4], marksBefore: 20 };
    // Nine have passed when the join comes: it is the tenth, and the one in the list the eleventh.
    expect(planAfter(marked, other)).toMatchObject({
      hide: 3,
      discontinuitySequence: 9,
      marksDiscontinuity: true,
    });
    const later = { first: 11, count: 5, atMs: 30_000, source: 'b', marks: [0], marksBefore: 21 };
    expect(planAfter(marked, other, later)).toMatchObject({
      firstSequence: 106,
      discontinuitySequence: 10,
      marksDiscontinuity: false,
    });
  });

  it('counts the marks that leave the window of a source that does not', () => {
    const join = { first: 7, count: 4, atMs: 60_000, source: 'b', marks: [2] };
    const steps = [
      ofB(8, 64_000, [1]), // 1: the join has left
      ofB(9, 68_000, [0, 3]), // The source's own mark stands in front.
      ofB(10, 72_000, [2]), // 2: it has left
      ofB(11, 76_000, [1]),
      ofB(13, 84_000, []), // 3: and the next one
      ofB(14, 88_000, []),
    ];
    const numbers = steps.map(
      (_step, at) => planAfter(before, join, ...steps.slice(0, at + 1))?.discontinuitySequence,
    );
    expect(numbers).toEqual([1, 1, 2, 2, 3, 3]);
  });

  it('takes the source’s own word where it counts further than what was seen', () => {
    const join = { first: 7, count: 4, atMs: 60_000, source: 'b', marks: [2] };
    const missed = { first: 107, count: 4, atMs: 500_000, source: 'b', marksBefore: 5 };
    expect(planAfter(before, join, missed)).toMatchObject({ discontinuitySequence: 6 });
  });

  it('uses the new source’s own mark where it has one in front of the first segment shown', () => {
    const other = { first: 7, count: 5, atMs: 4_000, source: 'b', marks: [4] };
    expect(planAfter(before, other)).toMatchObject({
      hide: 4,
      discontinuitySequence: 0,
      marksDiscontinuity: false,
    });
  });

  it('waits with an empty playlist until the new source has a segment', () => {
    const empty = { first: 3, count: 0, atMs: 4_000, source: 'b' };
    expect(planAfter(before, empty)).toMatchObject({ hide: 0, firstSequence: 105 });
    expect(
      planAfter(before, empty, { first: 3, count: 1, atMs: 8_000, source: 'b' }),
    ).toMatchObject({ hide: 0, firstSequence: 105, marksDiscontinuity: true });
  });
});

describe('windowOf', () => {
  it('counts segments and marks', () => {
    const text =
      '#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:9\n#EXT-X-DISCONTINUITY-SEQUENCE:2\n#EXTINF:1,\na\n#EXT-X-DISCONTINUITY\n#EXTINF:1,\n b\n';
    expect(windowOf(text)).toEqual({
      firstSequence: 9,
      segmentCount: 2,
      discontinuitySequence: 2,
      discontinuities: [1],
      isTrimmable: true,
    });
  });

  it('counts segments that a delta update leaves out', () => {
    const text =
      '#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:9\n#EXT-X-SKIP:SKIPPED-SEGMENTS=5\n#EXTINF:1,\na\n';
    expect(windowOf(text)).toMatchObject({ segmentCount: 6, isTrimmable: false });
  });

  it.each(['18446744073709551616', '99999999999999999999', '123456789012345678901', '-1', 'x'])(
    'gives up on what is no number of a segment: %s',
    (number) => {
      expect(windowOf(`#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:${number}\n`)).toBeUndefined();
    },
  );
});

describe('splitSequence', () => {
  it.each(['0', '999999999999999', '4503599627370495', '4503599627370496', '18446744073709551615'])(
    'takes a number apart that can be counted with, and put together again: %s',
    (number) => {
      const split = splitSequence(number);
      expect(split.rest).toBeLessThan(2 ** 52);
      expect(`${wholeSequence(split)}`).toBe(number);
    },
  );
});
