export { FragmentJoins } from './fragment-joins.ts';
export { fragmentOf, readFragment } from './fragment.ts';
export type { Fragment, TrackPart } from './fragment.ts';
export { initOf, readInit } from './media-init.ts';
export type { MediaInit, MediaTrack } from './media-init.ts';
export { UnitStream } from './unit-stream.ts';
