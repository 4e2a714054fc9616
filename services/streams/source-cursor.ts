import { UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { Clock, Timers } from '#kernel/clock';
import { chooseNext, chooseNow, isReady, isReturnDue, isSourceUrl, statusOf } from '#upstream';
import type { RingChoice, RingPlace } from '#upstream';
import type { StreamDefinition } from './definition.ts';
import type { SwitchCause } from './meter.ts';
import type { FailoverResolver } from './ports.ts';
import { SourceBook } from './source-book.ts';

/** A resolver that gives URL after URL must not be asked without end in one outage. */
const RESOLVER_ROUND = 10;

const PRIMARY = -1;

const FAILBACK = 'failback';

export type Move = {
  readonly oldUrl: string;
  readonly oldIndex: number;
  readonly newUrl: string;
  readonly index: number;
  readonly attempt: number;
  readonly reason: string;
  readonly cause: SwitchCause;
};

export type SourceCursorOptions = {
  readonly definition: () => StreamDefinition;
  readonly resolver: FailoverResolver;
  /** How long a backup is in use before the primary is tried again; 0 for never. */
  readonly failbackAfterMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly moved: (move: Move) => void;
};

export type Advance = {
  readonly reason: string;
  /** What the source in use did; absent when an app asked for the move. */
  readonly error?: AppError;
  /** Where to, when that has been decided. */
  readonly to?: number;
  /** The source in use may be the next again, when it is ready before all others. */
  readonly mayStay?: boolean;
};

type Why = Pick<Advance, 'reason' | 'error'>;

/** One of the sources, without what is sent to it. */
export type Place = { readonly url: string; readonly index: number };

/**
 * Which of a stream's sources is in use, for all its readers. Sources form a ring: the primary,
 * then the backups in order, then the primary again, leaving out those that cool; with a resolver
 * the app names the next one. `generation` grows with every move, so that two readers of one failed
 * source move it on once.
 */
export class SourceCursor {
  readonly #options: SourceCursorOptions;
  readonly book: SourceBook;
  #url: string;
  #index = PRIMARY;
  #generation = 0;
  #attempts = 0;
  #lastMoveAtMs: number | null = null;
  #movedAtMonotonicMs: number;
  #advancing: Promise<boolean> | undefined;
  /** Who is trying the primary in order to return to it: one reader at a time. */
  returner: object | undefined;

  constructor(options: SourceCursorOptions) {
    this.#options = options;
    this.book = new SourceBook(options.clock, options.timers);
    this.#url = options.definition().url;
    this.#movedAtMonotonicMs = options.clock.monotonicMs();
  }

  get url(): string {
    return this.#url;
  }
  get index(): number {
    return this.#index;
  }
  get generation(): number {
    return this.#generation;
  }
  get attempts(): number {
    return this.#attempts;
  }
  get lastMoveAtMs(): number | null {
    return this.#lastMoveAtMs;
  }

  /** Other sources that can be tried in one round. */
  get alternates(): number {
    return this.hasResolver ? RESOLVER_ROUND : this.#options.definition().failoverUrls.length;
  }

  /** The app names the next source: nobody knows it beforehand. */
  get hasResolver(): boolean {
    return this.#options.definition().failoverResolverUrl !== null;
  }

  /** How long the next source, or with a resolver the one in use, has still to cool. */
  get coolingMs(): number {
    const nowMs = this.#nowMs;
    const places = this.hasResolver ? [this.#placeOf(this)] : this.#placesFromNext(true);
    return chooseNext(places, nowMs)?.waitMs ?? 0;
  }

  /** What may be kept ready beside the one in use, best first: what need not be tried, in order. */
  get spares(): readonly Place[] {
    if (this.hasResolver) return [];
    const nowMs = this.#nowMs;
    const others = this.#ringFromNext().filter(({ url }) => url !== this.#url);
    const isClosed = ({ url }: Place): boolean => this.book.healthOf(url).state === 'closed';
    const ready = others.filter(({ url }) => isReady(this.book.healthOf(url), nowMs));
    return [...ready.filter(isClosed), ...ready.filter((place) => !isClosed(place))];
  }

  get canReturn(): boolean {
    return this.#options.failbackAfterMs > 0;
  }

  /** The primary, when it is time to try it in order to return to it. */
  get returnTo(): Place | undefined {
    const { definition, failbackAfterMs } = this.#options;
    const { url } = definition();
    const isDue = isReturnDue({
      index: this.#index,
      onBackupMs: this.#nowMs - this.#movedAtMonotonicMs,
      failbackAfterMs,
      primary: this.book.healthOf(url),
      nowMs: this.#nowMs,
    });
    // With a resolver the app decides, and one URL that is listed twice is one source.
    const isFree = this.returner === undefined && !this.hasResolver;
    return isDue && isFree && url !== this.#url ? { url, index: PRIMARY } : undefined;
  }

  /** Back to the primary: the stream was posted anew and nobody watches. */
  reset(): void {
    this.#url = this.#options.definition().url;
    this.#index = PRIMARY;
    this.#generation += 1;
    this.book.forget();
    this.book.changes.wake();
  }

  /** Begins at a backup that another process has moved the stream to. */
  takeUp(isIt: (url: string) => boolean): void {
    if (this.#attempts > 0 || this.hasResolver || isIt(this.#url)) return;
    const place = this.#ringFromNext().find(({ url }) => isIt(url));
    if (!place) return;
    this.#url = place.url;
    this.#index = place.index;
    this.#generation += 1;
    this.#movedAtMonotonicMs = this.#nowMs;
    this.book.changes.wake();
  }

  /** Moves to the primary, which has been tried and gives media. */
  returnToPrimary(): void {
    this.#moveTo({ url: this.#options.definition().url, index: PRIMARY }, { reason: FAILBACK });
  }

  /**
   * Waits, or until the stream has moved.
   * @throws the signal's reason when it aborts.
   */
  async pause(delayMs: number, signal: AbortSignal): Promise<void> {
    const generation = this.#generation;
    const untilMs = this.#nowMs + delayMs;
    while (this.#generation === generation) {
      const leftMs = untilMs - this.#nowMs;
      if (leftMs <= 0) return;
      await this.book.changes.wait(leftMs, signal);
    }
  }

  /**
   * Moves on to the next source, once for all who ask while it is under way.
   * @returns false when there is no other source.
   */
  advance(advance: Advance): Promise<boolean> {
    this.#advancing ??= this.#advance(advance).finally(() => {
      this.#advancing = undefined;
    });
    return this.#advancing;
  }

  async #advance(advance: Advance): Promise<boolean> {
    if (!this.hasResolver) return this.#advanceInRing(advance);
    const url = await this.#askResolver(advance);
    if (url === undefined) return false;
    this.#moveTo({ url, index: this.#index + 1 }, advance);
    return true;
  }

  #advanceInRing(advance: Advance): boolean {
    const { to, mayStay = false } = advance;
    if (this.alternates === 0) return false;
    const choice = to === undefined ? this.#choose(mayStay) : { index: to };
    if (choice === undefined) return false;
    if (choice.index !== this.#index) this.#moveTo(this.#place(choice.index), advance);
    return true;
  }

  #choose(mayStay: boolean): RingChoice | undefined {
    const places = this.#placesFromNext(mayStay);
    return (mayStay ? chooseNext : chooseNow)(places, this.#nowMs);
  }

  #placesFromNext(withCurrent: boolean): readonly RingPlace[] {
    const last = withCurrent ? [{ url: this.#url, index: this.#index }] : [];
    return [...this.#ringFromNext(), ...last].map((place) => this.#placeOf(place));
  }

  /** The other sources, beginning after the one in use. */
  #ringFromNext(): readonly Place[] {
    const count = this.#options.definition().failoverUrls.length + 1;
    // A list that was posted anew may be shorter than where we are.
    const from = Math.min(this.#index, count - 2);
    return Array.from({ length: count }, (_, step) =>
      this.#place(((from + 2 + step) % count) + PRIMARY),
    ).filter(({ index }) => index !== this.#index);
  }

  #place(index: number): Place {
    const { url, failoverUrls } = this.#options.definition();
    return { url: failoverUrls[index] ?? url, index };
  }

  #placeOf({ url, index }: Place): RingPlace {
    return { index, health: this.book.healthOf(url) };
  }

  async #askResolver({ reason, error }: Advance): Promise<string | undefined> {
    const { resolver, definition } = this.#options;
    const { failoverResolverUrl, metadata } = definition();
    const question = {
      currentUrl: this.#url,
      metadata,
      // The app counts the primary as 0 and the n-th backup as n (m3u-editor contract 3.2).
      currentFailoverIndex: this.#index + 1,
      statusCode: error === undefined ? null : statusOf(error),
      reason,
    };
    const { signal } = new AbortController();
    const next = await resolver.next(failoverResolverUrl ?? '', question, signal);
    if (next === undefined || isSourceUrl(next)) return next;
    throw new UpstreamError('ALL_SOURCES_FAILED', {
      message: 'The failover resolver answered with something that is not an http or https URL.',
    });
  }

  get #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  #moveTo({ url, index }: Place, { reason, error }: Why): void {
    const [oldUrl, oldIndex] = [this.#url, this.#index];
    this.#url = url;
    this.#index = index;
    this.#generation += 1;
    this.#attempts += 1;
    this.#lastMoveAtMs = this.#options.clock.nowMs();
    this.#movedAtMonotonicMs = this.#nowMs;
    const attempt = this.#attempts;
    const cause = error?.code ?? (reason === FAILBACK ? FAILBACK : 'manual');
    this.#options.moved({ oldUrl, oldIndex, newUrl: url, index, attempt, reason, cause });
    this.book.changes.wake();
  }
}
