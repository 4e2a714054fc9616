import { splicePlaylist, stepTrack, windowOf } from '#hls';
import type { ShownTrack } from '#hls';
import type { Clock } from '#kernel/clock';
import type { FetchedPlaylist } from './fetch-playlist.ts';
import { Lru } from './lru.ts';

/** Playlists of one stream that are followed: variants and renditions. */
const MAX_TRACKS = 64;

/** RFC 8216 §6.2.1 has a live playlist grow within 1.5 target durations. */
const STALE_TARGET_DURATIONS = 3;
const MIN_STALE_MS = 6_000;
const DEFAULT_TARGET_MS = 6_000;

export type AdmittedPlaylist = {
  readonly playlist: FetchedPlaylist;
  /** No segment has been added for too long; said once per standstill. */
  readonly hasStalled: boolean;
};

/**
 * Follows the live playlists of one stream through changes of source: keeps their numbers going
 * on for the viewers, and notices when they stand still. Until a source changes, texts pass
 * unchanged. What has ended (`EXT-X-ENDLIST`) from the first is a film, and not followed.
 */
export class LiveTracks {
  readonly #clock: Clock;
  readonly #shown = new Lru<string, ShownTrack>(MAX_TRACKS);
  readonly #toldStale = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether viewers have seen it live. */
  isFollowed(key: string): boolean {
    return this.#shown.get(key) !== undefined;
  }

  /**
   * Whether viewers see the very numbers that this source writes: then what they ask for by number
   * can be asked of it.
   * @param source - Its tag.
   */
  sharesNumbers(key: string, source: string): boolean {
    const shown = this.#shown.get(key);
    return !shown || (shown.source === source && (shown.join?.offset ?? 0) === 0);
  }

  /** @param source - Tag of the source that the playlist came from. */
  admit(key: string, source: string, playlist: FetchedPlaylist): AdmittedPlaylist {
    const { text, facts } = playlist;
    const shown = this.#shown.get(key);
    const window = facts.isEnded && !shown ? undefined : windowOf(text);
    if (!window) return { playlist, hasStalled: false };
    const nowMs = this.#clock.monotonicMs();
    const targetDurationMs = facts.targetDurationMs ?? DEFAULT_TARGET_MS;
    const step = stepTrack(shown, { source, window, targetDurationMs, nowMs });
    this.#shown.set(key, step.shown);
    const limitMs = Math.max(MIN_STALE_MS, STALE_TARGET_DURATIONS * targetDurationMs);
    const isStale = !facts.isEnded && nowMs - step.shown.advancedAtMs > limitMs;
    const spliced = step.plan ? { ...playlist, text: splicePlaylist(text, step.plan) } : playlist;
    return { playlist: spliced, hasStalled: this.#tellOnce(key, isStale) };
  }

  #tellOnce(key: string, isStale: boolean): boolean {
    if (!isStale) this.#toldStale.delete(key);
    const isNews = isStale && !this.#toldStale.has(key);
    if (isNews) this.#toldStale.add(key);
    return isNews;
  }
}
