import type { DetectionSettings, SilenceProbe, SilenceSettings } from '#detection';
import type { MediaLook, Stream } from '#streams';
import type { LoopLag } from './loop-lag.ts';
import type { MediaProbe } from './media-watch.ts';

/** How live sources are judged. */
export type LiveDetection = {
  readonly settings: DetectionSettings;
  /** Listens for silence; nobody does when absent. */
  readonly silenceProbe?: SilenceProbe;
  /** Finds out what sources consist of; nobody does when absent. */
  readonly mediaProbe?: MediaProbe;
  /** What of a silence is our own fault. */
  readonly lag?: LoopLag;
};

/** How one stream's sources are judged. */
export type SourceDetection = LiveDetection & {
  readonly silence: SilenceSettings;
  /** There is another source to go to, now. */
  readonly hasOther: () => boolean;
  /** The right to find out what the source in use consists of. */
  readonly lookAtMedia?: () => MediaLook | undefined;
};

/** The settings as this stream has them. */
export function detectionOf(stream: Stream, detection: LiveDetection): SourceDetection {
  return {
    ...detection,
    silence: silenceOf(stream.options, detection.settings.silence),
    hasOther: () => stream.hasOtherSource,
    lookAtMedia: () => stream.lookAtMedia(),
  };
}

/** What an app says for its stream counts; of what makes no sense, the global setting does. */
function silenceOf(own: Stream['options'], all: SilenceSettings): SilenceSettings {
  return {
    isOn: own.enableSilenceDetection ?? all.isOn,
    thresholdDb: within(own.silenceThresholdDb, -200, 0) ?? all.thresholdDb,
    durationMs: ms(within(own.silenceDurationSeconds, 0.1, 60)) ?? all.durationMs,
    intervalMs: ms(within(own.silenceCheckIntervalSeconds, 0.1, 86_400)) ?? all.intervalMs,
    failoverThreshold: within(own.silenceFailoverThreshold, 1, 1e6) ?? all.failoverThreshold,
    graceMs: ms(within(own.silenceMonitoringGraceSeconds, 0, 86_400)) ?? all.graceMs,
  };
}

const within = (value: number | null, least: number, most: number): number | undefined =>
  value === null || value < least || value > most ? undefined : value;

const ms = (seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : seconds * 1000;
