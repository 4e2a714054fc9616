export { spanOf } from './byte-span.ts';
export { type OpenedSegment, type SegmentOrigin, sourceOf } from './opened-segment.ts';
export { type Outlet, pour, type PourOptions } from './pour.ts';
export type { SegmentFiles } from './ports.ts';
export { answerTo, holds, type RangeAnswer, type RangeRequest } from './range-answer.ts';
export { SegmentStore } from './segment-store.ts';
export type { SegmentAsk, SegmentMemory, SegmentStoreOptions } from './segment-store.ts';
export type { FetchHead, OpenResource } from './shared-fetch.ts';
