import { describe, expect, it } from 'vitest';
import type { DetectionSettings } from '#detection';
import { firstFinding, settings } from '../../support/source-story.ts';
import type { Chapter } from '../../support/source-story.ts';

const GOOD: Chapter = { ms: 20_000 };
const off = (key: keyof DetectionSettings): Partial<DetectionSettings> => ({
  [key]: { ...settings()[key], isOn: false },
});

describe('a source that goes bad', () => {
  it.each([
    ['its clock stands', { clockRate: 0 }, 'UPSTREAM_PCR_STOPPED', 3000],
    ['its clock repeats a moment', { jitterMs: 250 }, 'UPSTREAM_PCR_STOPPED', 3000],
    [
      'it sends a third of what it did',
      { bytesPerSecond: 330_000, clockRate: 0.33 },
      'UPSTREAM_BITRATE_LOW',
      5000,
    ],
    [
      'it sends less than the floor, in real time',
      { bytesPerSecond: 60_000 },
      'UPSTREAM_BITRATE_LOW',
      15_000,
    ],
    ['packets are missing again and again', { errorsPerSecond: 30 }, 'UPSTREAM_ERRORS', 5000],
    ['its sound is gone', { hasAudio: false }, 'UPSTREAM_TRACK_MISSING', 5000],
    ['its pictures are gone', { hasVideo: false }, 'UPSTREAM_TRACK_MISSING', 5000],
    ['it is scrambled', { isScrambled: true }, 'UPSTREAM_SCRAMBLED', 2000],
    ['it turns into a page', { isGarbage: true }, 'UPSTREAM_WRONG_TYPE', 1000],
    ['it repeats a clip of 5 s', { clip: { ms: 5000 } }, 'UPSTREAM_LOOPING', 15_000],
    [
      'it repeats a clip of 50 s',
      { clip: { ms: 50_000 }, ms: 200_000 },
      'UPSTREAM_LOOPING',
      150_000,
    ],
  ] as const)('is found when %s', (_name, fault, code, afterMs) => {
    const found = firstFinding([GOOD, { ms: 30_000, ...fault }]);
    expect(found?.code).toBe(code);
    expect((found?.atMs ?? 0) - GOOD.ms).toBeGreaterThanOrEqual(afterMs * 0.75);
    expect((found?.atMs ?? 0) - GOOD.ms).toBeLessThanOrEqual(afterMs + 2500);
  });

  it.each([
    ['pcr', { clockRate: 0 }],
    ['bitrateDrop', { bytesPerSecond: 330_000, clockRate: 0.33 }],
    ['bitrateFloor', { bytesPerSecond: 60_000 }],
    ['errors', { errorsPerSecond: 30 }],
    ['track', { hasAudio: false }],
    ['scrambling', { isScrambled: true }],
    ['wrongType', { isGarbage: true, clockRate: 0 }],
    ['looping', { clip: { ms: 5000 } }],
  ] as const)('is left alone when %s is switched off', (key, fault) => {
    const isFloor = key === 'bitrateFloor' || key === 'wrongType';
    const over = isFloor
      ? { ...off('bitrateFloor'), ...off('bitrateDrop'), ...off(key) }
      : off(key);
    expect(firstFinding([GOOD, { ms: 30_000, ...fault }], { over })).toBeUndefined();
  });

  it.each([
    ['its clock stands', { clockRate: 0 }, 'UPSTREAM_PCR_STOPPED'],
    ['it turns into a page', { isGarbage: true }, 'UPSTREAM_WRONG_TYPE'],
    ['its sound is gone', { hasAudio: false }, undefined],
    ['it repeats a clip', { clip: { ms: 2000 } }, undefined],
    ['it sends too little', { bytesPerSecond: 60_000 }, undefined],
    ['packets are missing', { errorsPerSecond: 30 }, undefined],
  ] as const)('and is the only one is left only where it is useless: %s', (_name, fault, code) => {
    const found = firstFinding([GOOD, { ms: 30_000, ...fault }], { hasOther: false });
    expect(found?.code).toBe(code);
  });

  it('is found once there is somewhere to go', () => {
    const story = [GOOD, { ms: 30_000, hasAudio: false }];
    expect(firstFinding(story, { hasOther: false })).toBeUndefined();
    expect(firstFinding(story, { hasOther: true })).toBeDefined();
  });
});

describe('a healthy source', () => {
  it.each([
    ['that sends all the time', [{ ms: 60_000 }]],
    ['that sends every 2 s', [{ ms: 60_000, burstMs: 2000 }]],
    ['that sends every 10 s', [{ ms: 120_000, burstMs: 10_000 }]],
    [
      'that begins with a burst of 30 s of media',
      [{ ms: 500, bytesPerSecond: 60e6, clockRate: 60 }, GOOD],
    ],
    [
      'that its viewer holds up',
      [
        { ms: 20_000, heldShare: 0.6, bytesPerSecond: 20e6 },
        { ms: 20_000, heldShare: 0.1 },
      ],
    ],
    ['that shows a still picture for a while', [GOOD, { ms: 20_000, bytesPerSecond: 100_000 }]],
    [
      'that hesitates while it shows a still picture',
      [
        GOOD,
        { ms: 7000, bytesPerSecond: 100_000 },
        { ms: 750, bytesPerSecond: 0 },
        { ms: 250, bytesPerSecond: 100_000 },
        { ms: 750, bytesPerSecond: 200_000, clockRate: 2 },
        { ms: 7000, bytesPerSecond: 100_000 },
      ],
    ],
    [
      'that sends a twelfth of what it should',
      [{ ms: 60_000, bytesPerSecond: 83_000, clockRate: 1 / 12 }],
    ],
    ['of sound alone', [{ ms: 60_000, hasVideo: false, bytesPerSecond: 64_000 }]],
    ['of pictures alone', [{ ms: 60_000, hasAudio: false }]],
    ['that is no transport stream', [{ ms: 60_000, isRadio: true, bytesPerSecond: 64_000 }]],
    ['that was scrambled from the beginning', [{ ms: 60_000, isScrambled: true }]],
    ['that has one bad moment', [GOOD, { ms: 1000, errorsPerSecond: 300 }, GOOD]],
    ['that loses a packet now and then', [{ ms: 60_000, errorsPerSecond: 2 }]],
    [
      'that begins anew',
      [GOOD, { ms: 250, clip: { ms: 250 } }, GOOD, { ms: 500, clip: { ms: 500 } }, GOOD],
    ],
    ['that is a loop of two minutes', [{ ms: 600_000, clip: { ms: 120_000 } }]],
    ['that has garbage in it for a moment', [GOOD, { ms: 500, isGarbage: true }, GOOD]],
    ['whose sound is away for a moment', [GOOD, { ms: 3000, hasAudio: false }, GOOD]],
    ['that says nothing at all', [GOOD, { ms: 20_000, bytesPerSecond: 0, burstMs: 1e9 }]],
  ] as const)('%s is left alone', (_name, story) => {
    expect(firstFinding(story, { over: off('bitrateFloor') })).toBeUndefined();
  });
});

describe('the floor of the bit rate', () => {
  it.each([
    ['two low intervals are not three', [GOOD, { ms: 9500, bytesPerSecond: 60_000 }, GOOD]],
    ['the grace period is not counted', [{ ms: 20_000, bytesPerSecond: 60_000 }]],
    [
      'a viewer that holds the source up is no low rate',
      [{ ms: 60_000, bytesPerSecond: 60_000, heldShare: 0.2 }],
    ],
  ] as const)('is patient: %s', (_name, story) => {
    expect(firstFinding(story, { over: off('bitrateDrop') })).toBeUndefined();
  });
});
