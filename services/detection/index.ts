export type { DetectionSettings, SilenceSettings } from './detection-settings.ts';
export type { Finding, FindingCode, Sample, SourceFacts } from './finding.ts';
export type * from './ports.ts';
export { Rhythm } from './rhythm.ts';
export type { StallLimits } from './rhythm.ts';
export { SilenceWatch } from './silence-watch.ts';
export { SourceJudge } from './source-judge.ts';
