import type { TextEncoding } from '#hls';
import type { ClientId, StreamId } from '#kernel/ids';
import type { RangeRequest } from '#segments';
import type { ViewerRequest } from '#streams';
import type { PlaylistCounts } from './playlists/playlist-answers.ts';
import type { SegmentCounts } from './segment-answers/segment-counts.ts';
import type { SegmentAtHand } from './segment-answers/segment-delivery.ts';

export type PlaylistQuery = {
  readonly streamId: StreamId;
  readonly viewer: ViewerRequest;
  /** Absent: the stream's own playlist. */
  readonly handle?: string | undefined;
  /** The low-latency part of the query (`_HLS_msn=…&_HLS_part=…`). */
  readonly directives?: string;
  /** The cloned pathway that the player steers by (`via`): a handle from a steering manifest. */
  readonly pathway?: string | undefined;
  /** Absolute URL of the folder that our links stand in; where absent, all are relative. */
  readonly here?: () => string;
};

export type PlaylistAnswer = {
  readonly text: string;
  /** How the text becomes the bytes of the source's. */
  readonly encoding: TextEncoding;
  readonly bytes: number;
  readonly contentType: string;
  readonly clientId: ClientId;
  /** It could not be had anew: for how long it has not been. 0 for a fresh one. */
  readonly staleMs: number;
};

export type SegmentQuery = {
  readonly streamId: StreamId;
  readonly viewer: ViewerRequest;
  readonly handle: string;
  readonly ranges: RangeRequest;
  /** HEAD: the answer has no body, and none is fetched where the source says enough without. */
  readonly isHead?: boolean;
  /** What the player tells the server of a JSON document (`_HLS_pathway=…`), as a query. */
  readonly directives?: string;
  /** Absolute URL of the folder that our links stand in; where absent, all are relative. */
  readonly here?: () => string;
};

export type AtHandQuery = {
  readonly streamId: StreamId;
  readonly clientId: ClientId;
  readonly handle: string;
  /** What follows the client id in the link: the viewer's own, or it is not for this viewer. */
  readonly pass: string;
};

/** Bytes to be sent at once, with status 200. */
export type SentAtOnce = SegmentAtHand & {
  /** Aborts when the viewer is ended: what has not been sent by then is not. */
  readonly ended: AbortSignal;
  /** Keeps the viewer present while it takes them slowly. @returns how to end that, idempotent. */
  stay(): () => void;
};

/** How the segments of one stream were answered. */
export type StreamSegmentCounts = {
  readonly stream: SegmentCounts;
  readonly viewer: (clientId: ClientId) => SegmentCounts;
};

/** What HLS delivery has done for one stream since it was first asked for of late. */
export type HlsStats = StreamSegmentCounts & {
  readonly playlists: PlaylistCounts;
  /** `stale`: the last playlist could not be had anew. `doubtful`: a segment of the source failed. */
  readonly health: 'good' | 'stale' | 'doubtful';
};
