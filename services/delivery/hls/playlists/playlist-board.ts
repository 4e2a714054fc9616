import { MediaError, UpstreamError } from '#kernel/app-error';
import type { Clock, Timer, Timers } from '#kernel/clock';
import { orAbort } from '#kernel/or-abort';
import { Lru, SharedLoads } from '#delivery/viewing';
import type { LoadedPlaylist } from './playlist-loader.ts';
import { freshForMs, patienceMs, retryAfterMs, staleForMs } from './reload-pace.ts';

/** What one viewer asks the board for. */
export type BoardAsk = {
  /** Names the playlist, whichever source it comes from. */
  readonly key: string;
  /** Tag of the source in use: what came from another is not fresh. */
  readonly source: string;
  /** Query of a blocking reload, or empty. */
  readonly directives: string;
  readonly load: (signal: AbortSignal) => Promise<LoadedPlaylist>;
  /** What comes next is on its way, and worth waiting a little longer for than the last one. */
  readonly isNear?: () => boolean;
};

export type PostedPlaylist = {
  readonly loaded: LoadedPlaylist;
  /** It could not be had anew: for how long it has not been. 0 for a fresh one. */
  readonly staleMs: number;
};

type Posting = {
  readonly loaded: LoadedPlaylist;
  readonly loadedAtMs: number;
  readonly freshUntilMs: number;
  /** Sources have failed since: until then they are left alone. */
  retryAtMs: number;
};

/** Playlists of one stream that are kept: its variants and renditions. */
const MAX_POSTINGS = 32;
/** Longer ones are shared by those who wait for them, and kept no longer than a moment. */
const MAX_POSTED_CHARS = 512 * 1024;
const KEEP_LONG_MS = 500;
/** Players give a playlist up after ten seconds or more. */
const MORE_PATIENCE_MS = 5_000;
/** For a reload that nobody waits for any more, since all have been given the last playlist. */
const UNWATCHED_MS = 20_000;

/**
 * The latest of each playlist of one stream. However many viewers ask, and however often, the
 * source is asked once per reload, at the pace that RFC 8216 §6.3.4 has for a single player. When
 * nobody asks, nothing is loaded. When a reload fails or takes too long, the last playlist is given
 * on for three target durations.
 */
export class PlaylistBoard {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #loads = new SharedLoads<LoadedPlaylist>();
  readonly #postings = new Lru<string, Posting>(MAX_POSTINGS);

  constructor({ clock, timers }: { readonly clock: Clock; readonly timers: Timers }) {
    this.#clock = clock;
    this.#timers = timers;
  }

  /** What may be given without asking the source. */
  fresh(key: string, source: string): LoadedPlaylist | undefined {
    const posting = this.#postings.get(key);
    if (posting?.loaded.source !== source) return undefined;
    return this.#clock.monotonicMs() < posting.freshUntilMs ? posting.loaded : undefined;
  }

  /** The last one, if it was loaded less than `withinMs` ago. */
  young(key: string, withinMs: number): LoadedPlaylist | undefined {
    const posting = this.#postings.get(key);
    if (!posting || this.#clock.monotonicMs() - posting.loadedAtMs > withinMs) return undefined;
    return posting.loaded;
  }

  /**
   * Loads anew, once for all who ask at the same time.
   * @throws what `load` throws, where nothing is left that may be given on; the signal's reason.
   */
  async reload(ask: BoardAsk, signal: AbortSignal): Promise<PostedPlaylist> {
    const last = ask.directives === '' ? this.#usable(ask.key) : undefined;
    if (!last) return { loaded: await this.#load(ask, signal), staleMs: 0 };
    const isFailing = this.#clock.monotonicMs() < last.retryAtMs;
    const loaded = isFailing ? undefined : await this.#loadOver(last, ask, signal);
    if (loaded) return { loaded, staleMs: 0 };
    return { loaded: last.loaded, staleMs: this.#clock.monotonicMs() - last.loadedAtMs };
  }

  #usable(key: string): Posting | undefined {
    const posting = this.#postings.get(key);
    if (!posting) return undefined;
    const ageMs = this.#clock.monotonicMs() - posting.loadedAtMs;
    return ageMs < staleForMs(posting.loaded) ? posting : undefined;
  }

  /** Nothing when it fails or is not there in time; it then goes on for those who ask next. */
  async #loadOver(
    last: Posting,
    ask: BoardAsk,
    signal: AbortSignal,
  ): Promise<LoadedPlaylist | undefined> {
    const unwatched = new AbortController();
    const limit = this.#timers.after(UNWATCHED_MS, () => unwatched.abort(), { background: true });
    const patience = this.#patienceWith(last, ask);
    const loading = this.#load(ask, unwatched.signal)
      .catch((error: unknown) => this.#failedOver(last, error))
      .finally(() => limit.cancel());
    // Those who have left do not hear of it.
    loading.catch(() => {});
    try {
      return await orAbort(Promise.race([loading, patience.over]), signal);
    } finally {
      patience.end();
    }
  }

  /** How long the last playlist is held back for a new one. */
  #patienceWith({ loaded }: Posting, { isNear = () => false }: BoardAsk) {
    const late = Promise.withResolvers<undefined>();
    const onceMs = patienceMs(loaded);
    const end = (): void => timer.cancel();
    const wait = (leftMs: number): Timer =>
      this.#timers.after(onceMs, () => {
        if (leftMs < onceMs || !isNear()) return late.resolve(undefined);
        timer = wait(leftMs - onceMs);
      });
    let timer = wait(MORE_PATIENCE_MS);
    return { over: late.promise, end };
  }

  #failedOver(last: Posting, error: unknown): undefined {
    const isOfSources = error instanceof UpstreamError || error instanceof MediaError;
    const isTooLate = error instanceof DOMException && error.name === 'AbortError';
    if (!isOfSources && !isTooLate) throw error;
    last.retryAtMs = this.#clock.monotonicMs() + retryAfterMs(last.loaded);
    return undefined;
  }

  #load({ key, source, directives, load }: BoardAsk, signal: AbortSignal): Promise<LoadedPlaylist> {
    const askedAtMs = this.#clock.monotonicMs();
    const isBlocking = directives !== '';
    const loadAndPost = async (unwanted: AbortSignal): Promise<LoadedPlaylist> => {
      const loaded = await load(unwanted);
      // A blocking reload is answered at the very moment of the change.
      this.#post(key, loaded, isBlocking ? this.#clock.monotonicMs() : askedAtMs);
      return loaded;
    };
    return this.#loads.run(`${source} ${directives} ${key}`, loadAndPost, signal);
  }

  #post(key: string, loaded: LoadedPlaylist, askedAtMs: number): void {
    const hasChanged = this.#postings.get(key)?.loaded.text !== loaded.text;
    const nowMs = this.#clock.monotonicMs();
    const isLong = loaded.text.length > MAX_POSTED_CHARS;
    const freshUntilMs = isLong ? nowMs + KEEP_LONG_MS : askedAtMs + freshForMs(loaded, hasChanged);
    const posting = { loaded, loadedAtMs: nowMs, freshUntilMs, retryAtMs: 0 };
    this.#postings.set(key, posting);
    if (isLong) this.#takeDownSoon(key, posting);
  }

  #takeDownSoon(key: string, posting: Posting): void {
    const takeDown = (): void => {
      if (this.#postings.get(key) === posting) this.#postings.delete(key);
    };
    this.#timers.after(KEEP_LONG_MS, takeDown, { background: true });
  }
}
