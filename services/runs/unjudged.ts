import type { DetectionSettings } from '#detection';

const OFF = { isOn: false } as const;

/** What comes out of FFmpeg is not judged as a source is: its run is watched by its numbers. */
export const UNJUDGED: DetectionSettings = {
  stall: { isAdaptive: false, floorMs: 0 },
  pcr: { ...OFF, standsMs: 0 },
  bitrateDrop: { ...OFF, share: 0, forMs: 0 },
  bitrateFloor: { ...OFF, bytesPerSecond: 0, intervalMs: 0, threshold: 0, graceMs: 0 },
  errors: { ...OFF, share: 1 },
  track: { ...OFF, missingMs: 0 },
  scrambling: OFF,
  wrongType: OFF,
  looping: { ...OFF, maxClipMs: 0 },
  silence: {
    ...OFF,
    thresholdDb: 0,
    durationMs: 0,
    intervalMs: 0,
    failoverThreshold: 0,
    graceMs: 0,
  },
};
