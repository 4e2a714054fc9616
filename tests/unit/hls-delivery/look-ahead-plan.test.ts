import { describe, expect, it } from 'vitest';
import { aheadOf } from '../../../services/delivery/hls/segment-answers/look-ahead-plan.ts';
import type { ListPlace } from '../../../services/delivery/hls/playlists/track-lists.ts';

const place = (
  index: number,
  over: { durationMs?: number; gap?: number; map?: boolean } = {},
): ListPlace => ({
  track: 't',
  source: 's',
  index,
  isEnded: true,
  segments: Array.from({ length: 10 }, (_, n) => ({
    url: `${n}`,
    durationMs: over.durationMs ?? 4000,
    isGap: n === over.gap,
    ...(over.map ? { map: { url: 'map' } } : {}),
  })),
});

describe('what comes next', () => {
  it.each([
    ['so many segments', [place(2)], 3, ['3', '4', '5']],
    ['none behind the last', [place(9)], 3, []],
    ['fewer near the end', [place(8)], 3, ['9']],
    ['no gap', [place(2, { gap: 4 })], 3, ['3', '5']],
    ['no more than half a minute', [place(2, { durationMs: 20_000 })], 5, ['3', '4']],
    ['the init segment first', [place(2, { map: true })], 1, ['map', '3']],
    ['the newest viewer first', [place(7), place(0)], 2, ['8', '9', '1', '2']],
    ['nothing where nothing is wanted', [place(2)], 0, []],
  ])('is %s', (_name, places, count, urls) => {
    expect(aheadOf(places, count).map(({ resource }) => resource.url)).toEqual(urls);
  });
});
