import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splicePlaylist, stepTrack, windowOf } from '#hls';
import type { ShownTrack } from '#hls';

const WINDOW = 4;
const TARGET_MS = 4_000;

/** A live source: segments with or without a mark in front, and whether it counts its marks. */
class Origin {
  readonly name: string;
  readonly #first: number;
  readonly #counts: boolean;
  readonly #marks: boolean[] = [false, false, false, false];

  constructor(name: string, first: number, counts: boolean) {
    this.name = name;
    this.#first = first;
    this.#counts = counts;
  }

  append(marks: readonly boolean[]): void {
    this.#marks.push(...marks);
  }

  get playlist(): string {
    const gone = Math.max(0, this.#marks.length - WINDOW);
    const before = this.#marks.slice(0, gone).filter(Boolean).length;
    const listed = this.#marks
      .slice(gone)
      .flatMap((isMarked, index) => [
        ...(isMarked ? ['#EXT-X-DISCONTINUITY'] : []),
        '#EXTINF:4,',
        `${this.name}${this.#first + gone + index}.ts`,
      ]);
    return [
      '#EXTM3U',
      `#EXT-X-MEDIA-SEQUENCE:${this.#first + gone}`,
      ...(this.#counts ? [`#EXT-X-DISCONTINUITY-SEQUENCE:${before}`] : []),
      ...listed,
      '',
    ].join('\n');
  }
}

type Shown = { readonly uri: string; readonly sequence: number; readonly discontinuity: number };

/** What a player makes of a playlist: each segment with its two numbers. */
function segmentsIn(text: string): Shown[] {
  const window = windowOf(text);
  if (!window) throw new Error('No numbers.');
  const { firstSequence, discontinuitySequence, discontinuities } = window;
  const uris = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return uris.map((uri, index) => ({
    uri,
    sequence: firstSequence + index,
    discontinuity: discontinuitySequence + discontinuities.filter((at) => at <= index).length,
  }));
}

const step = fc.record({
  isSecond: fc.boolean(),
  // Fewer than a window holds: no mark passes unseen.
  marks: fc.array(fc.boolean(), { maxLength: WINDOW - 1 }),
});
const history = fc.record({
  counts: fc.boolean(),
  first: fc.nat(1000),
  steps: fc.array(step, { minLength: 1, maxLength: 30 }),
});

type History = {
  readonly counts: boolean;
  readonly first: number;
  readonly steps: readonly { readonly isSecond: boolean; readonly marks: readonly boolean[] }[];
};

function play({ counts, first, steps }: History): Shown[][] {
  const origins = [new Origin('a', 100, counts), new Origin('b', first, counts)] as const;
  let shown: ShownTrack | undefined;
  return steps.flatMap(({ isSecond, marks }, index) => {
    for (const origin of origins) origin.append(marks);
    const { name: source, playlist } = origins[isSecond ? 1 : 0];
    const window = windowOf(playlist);
    if (!window) throw new Error('No numbers.');
    const arrival = { source, window, targetDurationMs: TARGET_MS, nowMs: index * TARGET_MS };
    const next = stepTrack(shown, arrival);
    shown = next.shown;
    // Until a source changes, players see the source's own numbers, right or wrong.
    return next.plan ? [segmentsIn(splicePlaylist(playlist, next.plan))] : [];
  });
}

describe('a history of spliced playlists', () => {
  it('gives no number twice, takes none back, and counts every discontinuity once', () => {
    fc.assert(
      fc.property(history, (any) => {
        const seen = new Map<number, Shown>();
        let last = -1;
        for (const segments of play(any)) {
          const [head] = segments;
          expect(head?.sequence ?? last).toBeGreaterThanOrEqual(last);
          last = head?.sequence ?? last;
          for (const segment of segments) {
            expect(seen.get(segment.sequence) ?? segment).toEqual(segment);
            seen.set(segment.sequence, segment);
          }
        }
        const inOrder = [...seen.values()].toSorted((one, other) => one.sequence - other.sequence);
        const numbers = inOrder.map(({ discontinuity }) => discontinuity);
        expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));
      }),
      { numRuns: 500 },
    );
  });
});
