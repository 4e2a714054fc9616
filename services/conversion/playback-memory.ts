import type { Clock } from '#kernel/clock';
import type { MediaSegment, MediaList } from '#hls';

/** RFC 8216 §6.3.3: a player begins no closer to the end of a live playlist than this. */
const FROM_LIVE_EDGE = 3;

/**
 * How far one reader has come, over all the sources and connections that it reads. Who goes on
 * elsewhere neither sees again what has been shown, nor leaves out what has not.
 */
export class PlaybackMemory {
  readonly #clock: Clock;
  readonly #lastOf = new Map<string, MediaSegment>();
  #filmMs = 0;
  #lastAtMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A segment has been handed on whole. @param list - Names the playlist: a source and a track. */
  played(list: string, segment: MediaSegment): void {
    this.#lastOf.set(list, segment);
    this.#lastAtMs = this.#clock.monotonicMs();
  }

  /** So much of a film has been shown, whichever source it came from. */
  filmPlayed(durationMs: number): void {
    this.#filmMs += durationMs;
  }

  /** Which segment of a playlist to begin with, by its place. */
  startIn(list: string, media: MediaList): number {
    const { segments } = media;
    if (media.isEnded) return placeAt(segments, this.#filmMs);
    return this.#after(this.#lastOf.get(list), segments) ?? this.#nearEdge(media);
  }

  /** The same live playlist again: what follows the segment that was shown last. */
  #after(last: MediaSegment | undefined, segments: readonly MediaSegment[]): number | undefined {
    if (last === undefined) return undefined;
    const known = segments.findIndex(
      ({ sequence, url }) => sequence === last.sequence && url === last.url,
    );
    return known === -1 ? undefined : known + 1;
  }

  /** Of another live playlist only as much as time has passed: players have what was before. */
  #nearEdge({ segments, targetDurationMs }: MediaList): number {
    const silentMs = this.#clock.monotonicMs() - (this.#lastAtMs ?? -Infinity);
    const missed = 1 + Math.floor(silentMs / targetDurationMs);
    return Math.max(0, segments.length - Math.min(FROM_LIVE_EDGE, missed));
  }
}

/** The segment that holds this position. */
function placeAt(segments: readonly MediaSegment[], positionMs: number): number {
  let endMs = 0;
  const index = segments.findIndex(({ durationMs }) => {
    endMs += durationMs;
    return endMs > positionMs;
  });
  return index === -1 ? segments.length : index;
}
