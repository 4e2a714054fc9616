import { expect, it } from 'vitest';
import { MediaClock } from '../../../services/delivery/live/media-clock.ts';

const MS = 27_000;
const CIRCLE = 2 ** 33 * 300;

type Read = readonly [what: string, pcrMs: number, nowMs: number, mediaMs: number];

const READS: readonly Read[] = [
  ['begins at 0, wherever the program clock stands', 500_000, 1_000, 0],
  ['goes on as the program clock does, however fast', 503_000, 1_010, 3_000],
  ['stands while that stands', 503_000, 9_000, 3_000],
  ['does not fall when it steps back: our time counts', 400_000, 9_200, 3_200],
  ['goes on from there', 400_500, 9_300, 3_700],
  ['does not leap: our time counts', 900_000, 9_400, 3_800],
  ['counts a second at most then', 100_000, 99_000, 4_800],
];

it('a stream’s own time never falls and never leaps', () => {
  const clock = new MediaClock();
  const told = READS.map(([what, pcrMs, nowMs]) => [what, clock.read(pcrMs * MS, nowMs)]);
  expect(told).toEqual(READS.map(([what, , , mediaMs]) => [what, mediaMs]));
});

it('a stream’s own time goes on where its program clock wraps', () => {
  const clock = new MediaClock();
  clock.read(CIRCLE - 100 * MS, 0);
  expect(clock.read(200 * MS, 10)).toBeCloseTo(300, 3);
});

it('a stream without a program clock goes on as ours does', () => {
  const clock = new MediaClock();
  expect([clock.read(-1, 5_000), clock.read(-1, 5_400), clock.read(-1, 5_600)]).toEqual([
    0, 400, 600,
  ]);
});
