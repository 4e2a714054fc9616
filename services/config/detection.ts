import type { DETECTION_SETTINGS } from './detection-settings.ts';

type Name = keyof typeof DETECTION_SETTINGS;

/** Switches are named for what they switch; all else is a number. */
export type DetectionFlag = Extract<Name, `DETECT_${string}` | `ENABLE_${string}`>;

export type DetectionValues = {
  readonly [Key in Name]: Key extends DetectionFlag ? boolean : number;
};

const ms = (inSeconds: number): number => Math.round(inSeconds * 1000);

/** What makes a live source a bad one, in the units of the program. */
export function toDetection(values: DetectionValues) {
  return {
    stall: { isAdaptive: values.DETECT_STALL, floorMs: ms(values.STALL_FLOOR) },
    pcr: { isOn: values.DETECT_PCR_STOP, standsMs: ms(values.PCR_STOP_SECONDS) },
    bitrateDrop: {
      isOn: values.DETECT_BITRATE_DROP,
      share: values.BITRATE_DROP_SHARE,
      forMs: ms(values.BITRATE_DROP_SECONDS),
    },
    bitrateFloor: {
      isOn: values.ENABLE_BITRATE_MONITORING,
      bytesPerSecond: values.MIN_BITRATE_THRESHOLD,
      intervalMs: ms(values.BITRATE_CHECK_INTERVAL),
      threshold: values.BITRATE_FAILOVER_THRESHOLD,
      graceMs: ms(values.BITRATE_MONITORING_GRACE_PERIOD),
    },
    errors: { isOn: values.DETECT_ERRORS, share: values.ERROR_SHARE },
    track: { isOn: values.DETECT_MISSING_TRACK, missingMs: ms(values.MISSING_TRACK_SECONDS) },
    scrambling: { isOn: values.DETECT_SCRAMBLING },
    wrongType: { isOn: values.DETECT_WRONG_TYPE },
    looping: { isOn: values.DETECT_LOOPING, maxClipMs: ms(values.LOOPING_MAX_SECONDS) },
    silence: toSilence(values),
  } as const;
}

const toSilence = (values: DetectionValues) =>
  ({
    isOn: values.ENABLE_SILENCE_DETECTION,
    thresholdDb: values.SILENCE_THRESHOLD_DB,
    durationMs: ms(values.SILENCE_DURATION),
    intervalMs: ms(values.SILENCE_CHECK_INTERVAL),
    failoverThreshold: values.SILENCE_FAILOVER_THRESHOLD,
    graceMs: ms(values.SILENCE_MONITORING_GRACE_PERIOD),
  }) as const;
