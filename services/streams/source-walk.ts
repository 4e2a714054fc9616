import type { AppError } from '#kernel/app-error';
import { orAbort } from '#kernel/or-abort';
import { GOOD_SPELL_MS, failoverReason, failureFacts, isAtCapacity } from '#upstream';
import type { Decision, SlateTrigger } from '#upstream';
import { Outage } from './outage.ts';
import type { Probe, ProbeEnd } from './source-book.ts';
import type { Place } from './source-cursor.ts';
import { SourceSpare } from './source-spare.ts';
import type { Source, SourceWalk, SpareSource, SwitchTiming } from './viewing.ts';
import type { Answer, WalkOptions } from './walk-options.ts';

/** A probe that somebody waits for is looked at so often at least. */
const PROBE_LOOK_MS = 5000;

/** One reader's way through the sources: counts its own retries, moves the common cursor. */
export class CursorWalk implements SourceWalk {
  readonly #options: WalkOptions;
  #source: Source;
  #generation: number;
  #outage: Outage | undefined;
  #flowingSinceMs: number | undefined;
  #hasPicture = false;
  #answer: Answer | undefined;
  #spare: SourceSpare | undefined;
  /** Holds the source that we try for all readers. */
  #holding = new AbortController();

  constructor(options: WalkOptions) {
    this.#options = options;
    this.#generation = options.cursor.generation;
    this.#source = this.#sourceOf(options.cursor);
  }

  get current(): Source {
    if (this.#hasMoved) this.#adopt();
    return this.#source;
  }

  async ready(signal: AbortSignal): Promise<Source> {
    const failure = await this.#enter(signal);
    return failure === undefined ? this.#source : this.#next(failure, signal);
  }

  flowing(timing?: SwitchTiming): void {
    const { cursor, switches, clock, stage } = this.#options;
    this.#hasPicture = true;
    this.#outage?.flowing();
    this.#flowingSinceMs ??= clock.monotonicMs();
    cursor.book.flowed(this.#source.url);
    if (stage === 'live') switches.watching(this);
    if (!this.#hasMoved) switches.settle(timing);
  }

  async failed(failed: Source, error: AppError, signal: AbortSignal): Promise<Source> {
    signal.throwIfAborted();
    this.#options.erred(error);
    if (failed !== this.#source) return this.current;
    const answer = (this.#answer ??= this.#beginAnswer(error));
    answer.waiting += 1;
    try {
      return await orAbort(answer.next, signal);
    } finally {
      answer.waiting -= 1;
      if (answer.waiting === 0) answer.unwanted.abort();
    }
  }

  onMoved(listener: (source: Source) => void): () => void {
    return this.#options.onMoved(() => listener(this.current));
  }

  spare(mayOpen: (source: Source) => boolean): SpareSource | undefined {
    return this.#claim(this.#options.cursor.spares, mayOpen);
  }

  get canReturn(): boolean {
    return this.#options.cursor.canReturn;
  }

  get isReturnDue(): boolean {
    return this.#options.cursor.returnTo !== undefined;
  }

  returning(mayOpen: (source: Source) => boolean): SpareSource | undefined {
    const { cursor } = this.#options;
    const claimed = this.#claim(cursor.returnTo === undefined ? [] : [cursor.returnTo], mayOpen);
    if (claimed !== undefined) cursor.returner = this;
    return claimed;
  }

  returnToPrimary(): void {
    this.#options.cursor.returnToPrimary();
    this.#options.announceMove();
  }

  giveUp(error: AppError): AppError {
    return this.#giveUp(error, this.#outageNow());
  }

  slate(trigger: SlateTrigger | undefined): void {
    if (trigger === undefined) this.#options.slates.hidden(this);
    else this.#options.slates.shown(this, trigger);
  }

  takeUp(isIt: (url: string) => boolean): void {
    this.#options.cursor.takeUp(isIt);
  }

  close(): void {
    this.slate(undefined);
    this.#spare?.close();
    this.#holding.abort();
    this.#options.switches.left(this);
  }

  #claim(places: readonly Place[], mayOpen: (source: Source) => boolean): SpareSource | undefined {
    if (this.#spare !== undefined) return undefined;
    const source = places.map((place) => this.#sourceOf(place)).find(mayOpen);
    if (source === undefined) return undefined;
    const { cursor, clock, erred } = this.#options;
    const closed = (): void => {
      this.#spare = undefined;
      if (cursor.returner === this) cursor.returner = undefined;
    };
    this.#spare = SourceSpare.claim({ source, book: cursor.book, clock, erred, closed });
    return this.#spare;
  }

  #beginAnswer(error: AppError): Answer {
    const outage = this.#outageNow();
    const hadFlowed = this.#flowingSinceMs !== undefined;
    if (isAtCapacity(error))
      this.#holding.abort(); // It has done nothing wrong.
    else this.#options.cursor.book.failed(this.#source.url, error, this.#flowedMs);
    this.#flowingSinceMs = undefined;
    const unwanted = new AbortController();
    const next = this.#after(error, { outage, hadFlowed }, unwanted.signal);
    return { next: next.finally(() => (this.#answer = undefined)), unwanted, waiting: 0 };
  }

  #next(error: AppError, signal: AbortSignal): Promise<Source> {
    return this.#after(error, { outage: this.#outageNow(), hadFlowed: false }, signal);
  }

  /** Goes on after a failure, ours or that of the reader whose probe we waited for. */
  async #after(
    error: AppError,
    { outage, hadFlowed }: { outage: Outage; hadFlowed: boolean },
    signal: AbortSignal,
  ): Promise<Source> {
    let failure: AppError | undefined = error;
    for (let isFirst = true; failure !== undefined; isFirst = false) {
      await this.#react(failure, { outage, hadFlowed: hadFlowed && isFirst }, signal);
      failure = await this.#enter(signal);
    }
    return this.#source;
  }

  async #react(
    error: AppError,
    { outage, hadFlowed }: { outage: Outage; hadFlowed: boolean },
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#hasMoved) {
      outage.switched(); // Another reader has moved the stream on: that counts as our switch.
      return;
    }
    outage.met(error);
    const decision = this.#decide(error, outage, hadFlowed);
    if (decision.action === 'give-up') throw this.#giveUp(error, outage);
    await this.#options.cursor.pause(decision.delayMs, signal);
    if (this.#hasMoved) outage.switched();
    else if (decision.action === 'failover') await this.#moveOn(error, outage, signal);
    else outage.retries += 1;
  }

  #decide(error: AppError, outage: Outage, hadFlowed: boolean): Decision {
    const { cursor, stage } = this.#options;
    const facts = {
      ...failureFacts(error),
      hadFlowed,
      alternates: cursor.alternates,
      hasSpare: this.#spare?.isFlowing ?? false,
      hasResolver: cursor.hasResolver,
      isFile: stage === 'vod',
      isAtCapacity: isAtCapacity(error),
    };
    const decision = outage.decide({ ...facts, hasPicture: this.#hasPicture });
    if (decision.action !== 'give-up' || !this.#holdOut(error, outage)) return decision;
    return outage.decide({ ...facts, hasPicture: true });
  }

  /** Viewers who see something else wait as those do who have a picture. */
  #holdOut(error: AppError, outage: Outage): boolean {
    if (!this.#options.holdsOut(error)) return false;
    this.#hasPicture = true;
    outage.holdOut();
    return true;
  }

  async #moveOn(error: AppError, outage: Outage, signal: AbortSignal): Promise<void> {
    const { cursor } = this.#options;
    const spare = this.#spare?.isFlowing ? this.#spare : undefined;
    if (spare === undefined && !cursor.hasResolver) await this.#cool(outage, signal);
    if (!this.#hasMoved) {
      const isMoved = await this.#advance(error, spare, signal);
      if (!isMoved) return this.#stay(error, outage, signal);
      if (cursor.hasResolver) await this.#cool(outage, signal);
    }
    outage.switched();
  }

  async #advance(
    error: AppError,
    spare: SourceSpare | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    const stage = error.details['stage'] === 'segment' ? 'segment' : this.#options.stage;
    const reason = failoverReason(stage, error);
    const to = spare === undefined ? {} : { to: spare.source.index };
    const mayStay = this.#hasPicture;
    const advancing = this.#options.cursor.advance({ reason, error, mayStay, ...to });
    // A resolver that fails names no other source either.
    const isMoved = await orAbort(advancing, signal).catch(() => false);
    signal.throwIfAborted();
    return isMoved;
  }

  /** Nobody named another source. A live picture waits for the one that it had. */
  async #stay(error: AppError, outage: Outage, signal: AbortSignal): Promise<void> {
    const { stage, cursor } = this.#options;
    const isOver = stage !== 'live' || !this.#hasPicture || outage.isLimited;
    if (isOver && !this.#holdOut(error, outage)) throw this.#giveUp(error, outage);
    outage.failovers = Math.max(outage.failovers + 1, cursor.alternates);
    await cursor.pause(outage.pauseMs, signal);
  }

  /** Lets the next source cool, for a viewer that has a picture: others try what there is. */
  #cool(outage: Outage, signal: AbortSignal): Promise<void> {
    const waitMs = this.#hasPicture ? this.#options.cursor.coolingMs : 0;
    return this.#options.cursor.pause(Math.min(waitMs, outage.leftMs), signal);
  }

  /**
   * Takes the source that the stream is at. After a cooldown one live reader tries it, for all.
   * @returns the failure, when another reader's try has failed.
   */
  async #enter(signal: AbortSignal): Promise<AppError | undefined> {
    for (;;) {
      this.#adopt();
      if (this.#options.stage !== 'live') return undefined;
      this.#holding.abort(); // What we tried before, if nothing became of it.
      this.#holding = new AbortController();
      const holder = this.#holding.signal;
      const admission = this.#options.cursor.book.admit(this.#source.url, holder);
      if ('isAdmitted' in admission) return undefined;
      const end = await this.#probed(admission.probe, signal);
      if (end !== undefined && typeof end !== 'string') return end;
    }
  }

  /** How another reader's try ended; undefined when the stream has moved meanwhile. */
  async #probed(probe: Probe, signal: AbortSignal): Promise<ProbeEnd | undefined> {
    const { changes } = this.#options.cursor.book;
    while (probe.end === undefined && !this.#hasMoved) await changes.wait(PROBE_LOOK_MS, signal);
    return this.#hasMoved ? undefined : probe.end;
  }

  #outageNow(): Outage {
    const { policy, clock } = this.#options;
    if (this.#flowedMs >= GOOD_SPELL_MS) this.#outage = undefined;
    return (this.#outage ??= new Outage(policy, clock));
  }

  /** How long media has flowed over the connection in use. */
  get #flowedMs(): number {
    const nowMs = this.#options.clock.monotonicMs();
    return nowMs - (this.#flowingSinceMs ?? nowMs);
  }

  get #hasMoved(): boolean {
    return this.#generation !== this.#options.cursor.generation;
  }

  #adopt(): void {
    this.#generation = this.#options.cursor.generation;
    this.#source = this.#sourceOf(this.#options.cursor);
  }

  #sourceOf({ url, index }: Place): Source {
    return { url, index, headers: this.#options.headers(url) };
  }

  #giveUp(error: AppError, outage: Outage): AppError {
    this.#outage = undefined;
    this.#options.gaveUp(error, outage.retries);
    return outage.failureOf(error);
  }
}
