export { RunDesk } from './run-desk.ts';
export type { RunDeskOptions } from './run-desk.ts';
export type { RemoteRunOptions } from './remote-run.ts';
export type { RunSources } from './run-source.ts';
export type { RunSnapshot, RunState, TranscodeRun } from './run.ts';
export { TranscodeDelivery } from './transcode-delivery.ts';
export type { TranscodeDeliveryOptions } from './transcode-delivery.ts';
