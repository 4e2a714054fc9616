export { spanOf } from './byte-span.ts';
export type { OpenedSegment, SegmentOrigin } from './opened-segment.ts';
export type { Outlet } from './pour.ts';
export type { SegmentFiles } from './ports.ts';
export { answerTo, holds, type RangeAnswer, type RangeRequest } from './range-answer.ts';
export { SegmentStore } from './segment-store.ts';
export type { SegmentAsk, SegmentMemory, SegmentStoreOptions } from './segment-store.ts';
export type { FetchHead, OpenResource } from './shared-fetch.ts';
