import { describe, expect, it } from 'vitest';
import { closestTrack } from '#hls';
import type { Track } from '#hls';

const variant = (ordinal: number, bandwidth: number): Track => ({
  role: 'variant',
  ordinal,
  bandwidth,
});
const audio = (ordinal: number): Track => ({ role: 'audio', ordinal, bandwidth: 0 });

const pick = (wanted: Track, ...offered: Track[]): Track | undefined =>
  closestTrack(
    wanted,
    offered.map((track) => ({ track, url: 'u', variables: new Map() })),
  )?.track;

describe('closestTrack', () => {
  it.each([
    [
      'the same bandwidth, wherever it stands',
      variant(0, 3000),
      [variant(0, 1000), variant(1, 3000)],
      variant(1, 3000),
    ],
    [
      'the nearest bandwidth',
      variant(0, 3000),
      [variant(0, 1000), variant(1, 2500), variant(2, 6000)],
      variant(1, 2500),
    ],
    [
      'among equals the same place',
      variant(1, 3000),
      [variant(0, 3000), variant(1, 3000)],
      variant(1, 3000),
    ],
    [
      'the same place where nothing is announced',
      variant(1, 0),
      [variant(0, 1), variant(1, 2)],
      variant(1, 2),
    ],
    [
      'the last where there are fewer',
      variant(5, 0),
      [variant(0, 0), variant(1, 0)],
      variant(1, 0),
    ],
    ['only its own role', audio(0), [variant(0, 1), audio(3)], audio(3)],
    ['none where there is none of its role', audio(0), [variant(0, 1)], undefined],
  ])('picks %s', (_name, wanted, offered, expected) => {
    expect(pick(wanted, ...offered)).toEqual(expected);
  });
});
