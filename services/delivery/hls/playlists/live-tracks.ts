import { segmentNamesOf, splicePlaylist, stepTrack, windowOf } from '#hls';
import type { PlaylistWindow, ShownTrack } from '#hls';
import type { Clock } from '#kernel/clock';
import type { FetchedPlaylist } from './fetch-playlist.ts';
import type { KeptNumbers } from './kept-numbers.ts';
import { Lru } from '#delivery/viewing';

/** Playlists of one stream that are followed: variants and renditions. */
const MAX_TRACKS = 64;

/**
 * RFC 8216 §6.2.1 has a live playlist grow within 1.5 target durations, and players keep three in
 * hand: what is noticed after two leaves one to find another source.
 */
const STALE_TARGET_DURATIONS = 2;
const MIN_STALE_MS = 3_000;
const DEFAULT_TARGET_MS = 6_000;

export type AdmittedPlaylist = {
  readonly playlist: FetchedPlaylist;
  /** No segment has been added for too long; said once per standstill. */
  readonly hasStalled: boolean;
  /** Viewers are shown segments that are new to them. */
  readonly hasNews?: boolean;
  readonly join?: Join | undefined;
};

/** A playlist begins where sources meet. */
export type Join = {
  /** The number of its first segment. */
  readonly at: number;
  /** When the segment before it appeared, monotonic; as it was known when the source changed. */
  readonly lastAtMs: number;
};

type Followed = {
  readonly shown: ShownTrack;
  /** As its source sent it. */
  readonly window: PlaylistWindow;
  readonly text: string;
  /** As viewers got it. */
  readonly playlist: FetchedPlaylist;
  readonly join: Join | undefined;
};

/**
 * Follows the live playlists of one stream through changes of source: keeps their numbers going
 * on for the viewers, and notices when they stand still. Until a source changes, texts pass
 * unchanged. What has ended (`EXT-X-ENDLIST`) from the first is a film, and not followed.
 */
export class LiveTracks {
  readonly #clock: Clock;
  readonly #numbers: KeptNumbers | undefined;
  readonly #followed = new Lru<string, Followed>(MAX_TRACKS);
  readonly #toldStale = new Set<string>();

  /** @param numbers - What processes know of each other's; one that is alone has none. */
  constructor(clock: Clock, numbers?: KeptNumbers) {
    this.#clock = clock;
    this.#numbers = numbers;
  }

  /** Whether viewers have seen it live. */
  isFollowed(key: string): boolean {
    return this.#numbers?.found(key) !== undefined || this.#followed.get(key) !== undefined;
  }

  /**
   * Whether viewers see the very numbers that this source writes: then what they ask for by number
   * can be asked of it.
   * @param source - Its tag.
   */
  sharesNumbers(key: string, source: string): boolean {
    const shown = this.#numbers?.found(key) ?? this.#followed.get(key)?.shown;
    if (!shown) return true;
    const { source: from, join, epoch, sourceEpoch } = shown;
    return from === source && (join?.offset ?? 0) === 0 && epoch === sourceEpoch;
  }

  /** The number after the last segment's, as its source has it. */
  endOf(key: string): number | undefined {
    const window = this.#followed.get(key)?.window;
    return window && endOf(window);
  }

  /** @param source - Tag of the source that the playlist came from. */
  admit(key: string, source: string, playlist: FetchedPlaylist): AdmittedPlaylist {
    const { text, facts } = playlist;
    const window = facts.isEnded && !this.isFollowed(key) ? undefined : shownWindowOf(playlist);
    if (!window) return { playlist, hasStalled: false };
    const nowMs = this.#clock.monotonicMs();
    const arrival = { source, window, targetDurationMs: targetOf(playlist), nowMs };
    const resumed = this.#numbers?.resume(key, arrival);
    // What another process has shown since counts, and not what this one had shown before.
    const last = resumed ? undefined : this.#followed.get(key);
    const before = last ? shownBefore(last, { ...arrival, text }) : resumed;
    if (last && before === 'copy') return { ...admittedAs(last), hasStalled: false };
    const followed = follow(before === 'copy' ? undefined : before, playlist, arrival);
    const hasNews = isNews(followed, arrival);
    return { ...admittedAs(followed), hasNews, hasStalled: this.#show(key, followed, arrival) };
  }

  /** @returns whether it has stalled, said once. */
  #show(key: string, followed: Followed, arrival: Arrival): boolean {
    this.#followed.set(key, followed);
    this.#numbers?.shown(key, followed.shown);
    const isStale = !followed.playlist.facts.isEnded && isLate(followed.shown, arrival);
    return this.#tellOnce(key, isStale);
  }

  #tellOnce(key: string, isStale: boolean): boolean {
    if (!isStale) this.#toldStale.delete(key);
    const isNews = isStale && !this.#toldStale.has(key);
    if (isNews) this.#toldStale.add(key);
    return isNews;
  }
}

const admittedAs = ({ playlist, join }: Followed) => ({ playlist, join });
/** Of what is cut here nobody has seen anything before. */
function shownWindowOf({ text, run }: FetchedPlaylist): PlaylistWindow | undefined {
  const window = windowOf(text);
  return window && run !== undefined ? { ...window, isTrimmable: false } : window;
}

const targetOf = ({ facts }: FetchedPlaylist): number =>
  facts.targetDurationMs ?? DEFAULT_TARGET_MS;

const endOf = ({ firstSequence, segmentCount }: PlaylistWindow): number =>
  firstSequence + segmentCount;

type Arrival = Parameters<typeof stepTrack>[1];
type Arrived = Arrival & { readonly text: string };

function follow(
  shown: ShownTrack | undefined,
  playlist: FetchedPlaylist,
  arrival: Arrival,
): Followed {
  const { text } = playlist;
  const step = stepTrack(shown, arrival);
  const spliced = step.plan ? { ...playlist, text: splicePlaylist(text, step.plan) } : playlist;
  const { shown: next, plan } = step;
  const isJoin = plan !== undefined && plan.firstSequence === next.join?.at;
  const join = isJoin ? { at: plan.firstSequence, lastAtMs: shown?.advancedAtMs ?? 0 } : undefined;
  return { shown: next, window: arrival.window, text, playlist: spliced, join };
}

const isNews = ({ shown, window }: Followed, { nowMs }: Arrival): boolean =>
  window.segmentCount > 0 && shown.advancedAtMs === nowMs;

const isLate = ({ advancedAtMs }: ShownTrack, { nowMs, targetDurationMs }: Arrival): boolean =>
  nowMs - advancedAtMs > Math.max(MIN_STALE_MS, STALE_TARGET_DURATIONS * targetDurationMs);

/** What a playlist goes on from; `copy` is one that a cache had, and only until that has grown old. */
function shownBefore(last: Followed, next: Arrived): ShownTrack | 'copy' {
  if (next.source !== last.shown.source || !stepsBack(last.window, next.window)) return last.shown;
  return !isLate(last.shown, next) && isCopyOf(last, next) ? 'copy' : restarted(last.shown);
}

/** RFC 8216 §6.2.2 forbids it; servers that start over do it, and caches that are behind. */
const stepsBack = (last: PlaylistWindow, next: PlaylistWindow): boolean =>
  next.epoch !== last.epoch || next.firstSequence < last.firstSequence || endOf(next) < endOf(last);

/**
 * Whether a playlist with lower numbers is one of the same run that a cache has kept for too long:
 * then what both list under one number has one name. A server that started over has others.
 */
function isCopyOf(
  last: Followed,
  next: { readonly text: string; readonly window: PlaylistWindow },
): boolean {
  if (last.window.epoch !== next.window.epoch) return false;
  const before = namesByNumber(last);
  const after = namesByNumber(next);
  return [...after].some(([sequence, name]) => before.get(sequence) === name);
}

function namesByNumber({ text, window }: Pick<Followed, 'text' | 'window'>): Map<number, string> {
  const names = segmentNamesOf(text);
  // What a delta update leaves out counts, and has no name here.
  const first = endOf(window) - names.length;
  return new Map(names.map((name, index) => [first + index, name]));
}

/** The same source, but what it numbers now has nothing to do with what it numbered before. */
const restarted = (shown: ShownTrack): ShownTrack => ({ ...shown, source: '' });
