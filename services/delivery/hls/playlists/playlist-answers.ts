import type { Clock, Timers } from '#kernel/clock';
import type { LowLatencyMode, SourceWalk, Stream } from '#streams';
import { limitOf } from '#upstream';
import {
  NO_DIRECTIVES,
  directivesOf,
  satisfies,
  variantKey,
  worthAsking,
} from './low-latency-reload.ts';
import type { Directives } from './low-latency-reload.ts';
import { PlaylistBoard } from './playlist-board.ts';
import type { PostedPlaylist } from './playlist-board.ts';
import type { PlaylistAsk } from './playlist-finder.ts';
import type { LoadedPlaylist, PlaylistLoader } from './playlist-loader.ts';
import { sourceTagOf } from '#delivery/viewing';
import { isOfStream } from './track-key.ts';

/**
 * Low-latency players keep reloads and parts open that their server holds, of pictures and sound:
 * with fewer places at the provider than that, one would wait for the other.
 */
const LOW_LATENCY_REQUESTS = 4;

export type PlaylistQuestion = {
  readonly ask: PlaylistAsk;
  /** Query of a low-latency reload (`_HLS_msn=…`), or empty. */
  readonly directives: string;
};

/** How requests for playlists were answered. */
export type PlaylistCounts = {
  readonly requests: number;
  /** Answered without asking the source. */
  readonly cacheHits: number;
  /** Loads from a source, each for all who asked meanwhile. */
  readonly polls: number;
  /** Answered with the last playlist, since no new one could be had. */
  readonly stale: number;
};

export type PlaylistAnswersOptions = {
  readonly stream: Stream;
  readonly walk: SourceWalk;
  readonly loader: PlaylistLoader;
  /** Where the stream does not say. */
  readonly lowLatency: LowLatencyMode;
  readonly clock: Clock;
  readonly timers: Timers;
};

/** Answers viewers of one stream who ask for playlists: from the board, or by a load for all. */
export class PlaylistAnswers {
  readonly #options: PlaylistAnswersOptions;
  readonly #board: PlaylistBoard;
  readonly #counts = { requests: 0, cacheHits: 0, polls: 0, stale: 0 };
  #targetDurationMs = 0;
  #isStale = false;

  constructor(options: PlaylistAnswersOptions) {
    this.#options = options;
    this.#board = new PlaylistBoard(options);
  }

  /** Of the playlist that was loaded last; 0 before. */
  get targetDurationMs(): number {
    return this.#targetDurationMs;
  }

  get counts(): PlaylistCounts {
    return { ...this.#counts };
  }

  /** The last playlist that was asked of a source could not be had. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** What may be given at once, without asking the source. */
  fresh(question: PlaylistQuestion): LoadedPlaylist | undefined {
    const fresh = this.#fresh(question);
    if (fresh) this.#count('cacheHits');
    return fresh;
  }

  #fresh({ ask, directives }: PlaylistQuestion): LoadedPlaylist | undefined {
    if (directives !== '') return undefined;
    const fresh = this.#board.fresh(keyOf(plainly(ask)), this.#source);
    return fresh && isDue(fresh, ask) ? fresh : this.#board.fresh(keyOf(ask), this.#source);
  }

  /**
   * The playlist as it is now, loaded once for all who ask; a blocking reload waits for what it
   * asks for.
   * @throws AppError when no source gives one; the signal's reason.
   */
  async load(question: PlaylistQuestion, signal: AbortSignal): Promise<PostedPlaylist> {
    const { ask } = question;
    // Those who have come and those who come back share one load, as long as it suits them all.
    const posted = await this.#load({ ...question, ask: plainly(ask) }, signal);
    const due = isDue(posted.loaded, ask) ? posted : await this.#load(question, signal);
    this.#isStale = due.staleMs > 0;
    this.#count(this.#isStale ? 'stale' : undefined);
    return due;
  }

  #count(answered: 'cacheHits' | 'stale' | undefined): void {
    this.#counts.requests += 1;
    if (answered) this.#counts[answered] += 1;
  }

  async #load(
    { ask, directives: query }: PlaylistQuestion,
    signal: AbortSignal,
  ): Promise<PostedPlaylist> {
    const directives = this.#usable(ask, query);
    const known = this.#known(ask, directives);
    if (known) return { loaded: known, staleMs: 0 };
    const { stream, loader } = this.#options;
    const honoursLowLatency = this.#honoursLowLatency;
    const request = { ask, directives: directives.query, honoursLowLatency };
    const key = variantKey(keyOf(ask), directives);
    const load = (shared: AbortSignal): Promise<LoadedPlaylist> => {
      this.#counts.polls += 1;
      return loader.load(request, AbortSignal.any([shared, stream.removed]));
    };
    const { query: wanted } = directives;
    const isNear = (): boolean => loader.isNear;
    const reload = { key, source: this.#source, directives: wanted, load, isNear };
    const posted = await this.#board.reload(reload, signal);
    this.#targetDurationMs = posted.loaded.targetDurationMs ?? this.#targetDurationMs;
    return posted;
  }

  /**
   * Numbers of another source mean nothing to this one: then a reload is an ordinary one. Servers of
   * interstitials hear all that the player says.
   */
  #usable(ask: PlaylistAsk, query: string): Directives {
    const { loader, walk } = this.#options;
    if (!isOfStream(ask)) return { ...NO_DIRECTIVES, query };
    const isUsable = this.#honoursLowLatency && loader.canAskByNumber(ask, walk.current);
    const directives = isUsable ? directivesOf(query) : NO_DIRECTIVES;
    return worthAsking(directives, this.#posted(ask, directives, Number.POSITIVE_INFINITY));
  }

  /** What is on the board, and not older than that. */
  #posted(ask: PlaylistAsk, directives: Directives, withinMs: number): readonly LoadedPlaylist[] {
    const key = keyOf(ask);
    return [...new Set([variantKey(key, directives), key])]
      .map((name) => this.#board.young(name, withinMs))
      .filter((loaded) => loaded?.source === this.#source)
      .filter((loaded) => loaded !== undefined);
  }

  /** What is fresh, or has what a blocking reload waits for. */
  #known(ask: PlaylistAsk, directives: Directives): LoadedPlaylist | undefined {
    const { query, position, skip } = directives;
    if (!position) {
      const isShared = query === '' || skip !== undefined;
      const key = variantKey(keyOf(ask), directives);
      return isShared ? this.#board.fresh(key, this.#source) : undefined;
    }
    return this.#posted(ask, directives, this.#targetDurationMs / 2).find((loaded) =>
      satisfies(loaded, position),
    );
  }

  get #source(): string {
    return sourceTagOf(this.#options.walk.current);
  }

  get #honoursLowLatency(): boolean {
    const { stream, lowLatency, walk } = this.#options;
    const { maxOpen = Number.POSITIVE_INFINITY } = limitOf(walk.current.headers) ?? {};
    if (maxOpen < LOW_LATENCY_REQUESTS) return false;
    return (stream.options.lowLatency ?? lowLatency) === 'honour';
  }
}

/** The stream's own playlist, whatever it is. */
const plainly = (ask: PlaylistAsk): PlaylistAsk =>
  ask.kind === 'entry' ? { kind: 'entry', wants: 'any' } : ask;

/** A viewer that has been given a media playlist cannot do with a multivariant one. */
const isDue = ({ shape }: LoadedPlaylist, ask: PlaylistAsk): boolean =>
  ask.kind === 'child' || ask.wants === 'any' || shape === 'media';

function keyOf(ask: PlaylistAsk): string {
  if (ask.kind === 'entry') return `entry ${ask.wants}`;
  return `child ${ask.target.source} ${ask.target.url}`;
}
