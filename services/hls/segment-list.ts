import { readMediaList } from './media-list.ts';
import type { MediaListOptions, MediaResource, MediaSegment } from './media-list.ts';

/** Bytes of a resource that a playlist means, both ends included. */
export type ListedRange = { readonly first: number; readonly last: number };

/** A resource as a media playlist names it. */
export type ListedResource = { readonly url: string; readonly range?: ListedRange };

export type ListedSegment = ListedResource & {
  readonly durationMs: number;
  /** Its source has nothing here (`EXT-X-GAP`): it is not asked for. */
  readonly isGap: boolean;
  /** The init segment in force. */
  readonly map?: ListedResource;
};

/** The segments of a media playlist, in order. */
export type SegmentList = {
  readonly segments: readonly ListedSegment[];
  readonly isEnded: boolean;
};

/**
 * Which segments a media playlist lists, with the byte ranges that a player will ask for. Linear in
 * the length of the text. Segments whose URL is not for us are left out.
 */
export function segmentListOf(text: string, options: MediaListOptions): SegmentList {
  const { segments, isEnded } = readMediaList(text, options);
  return { segments: segments.map(listed), isEnded };
}

const listed = ({ durationMs, isGap, map, ...resource }: MediaSegment): ListedSegment => ({
  ...named(resource),
  durationMs,
  isGap,
  ...(map ? { map: named(map) } : {}),
});

const named = ({ url, span }: MediaResource): ListedResource =>
  span ? { url, range: { first: span.offset, last: span.offset + span.length - 1 } } : { url };
