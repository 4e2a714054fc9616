import { expect, it } from 'vitest';
import { freshForMs, staleForMs } from '../../../services/delivery/hls/playlists/reload-pace.ts';
import type { Paced } from '../../../services/delivery/hls/playlists/reload-pace.ts';

const live = (targetDurationMs: number | undefined): Paced => ({
  shape: 'media',
  isEnded: false,
  targetDurationMs,
});

it.each<[string, Paced, boolean, number]>([
  ['a live one that has changed, for about its target duration', live(6_000), true, 5_400],
  ['a live one that has not, for about half of it', live(6_000), false, 2_700],
  ['one that says nothing, as one of six seconds', live(undefined), true, 5_400],
  ['one that says too much, for a quarter of a minute at most', live(3_600_000), true, 13_500],
  ['one that says next to nothing, for a moment', live(10), false, 250],
  ['a finished one, for ten seconds', { ...live(6_000), isEnded: true }, false, 10_000],
  ['a multivariant one, for a second', { ...live(undefined), shape: 'multivariant' }, true, 1_000],
])('gives on %s', (_, playlist, hasChanged, expected) => {
  expect(freshForMs(playlist, hasChanged)).toBe(expected);
});

it('gives on what cannot be had anew for three target durations', () => {
  expect(staleForMs(live(2_000))).toBe(6_000);
});
