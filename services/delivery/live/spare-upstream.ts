import { UpstreamError, toAppError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { Clock, Timers } from '#kernel/clock';
import { TsAnalyser } from '#mpegts';
import type { Source, SpareSource } from '#streams';
import { TakenPlace, isAtCapacity } from '#upstream';
import type { ConnectionAllowance, SparePermit, SparePlace } from '#upstream';
import type { SourceDetection } from './detection.ts';
import { GopBuffer } from './gop-buffer.ts';
import { openSource } from './open-source.ts';
import type { SourceOpener } from './open-source.ts';
import { UpstreamPump, wrongType } from './upstream-pump.ts';
import type { PumpTarget } from './upstream-pump.ts';

export type SpareUpstreamOptions = SourceOpener & {
  readonly spare: SpareSource;
  readonly permit: SparePermit;
  readonly allowance: ConnectionAllowance;
  /** `paused`: once it is proved to be media it waits; `reading`: it is read, its last GOP kept. */
  readonly mode: 'paused' | 'reading';
  readonly stallMs: number;
  /** Judges it, also before it is taken: a standby that is no good is not kept. */
  readonly detection: SourceDetection;
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly timers: Timers;
  /** It did not work; it is closed. */
  readonly failed: (error: AppError) => void;
};

/** An upstream beside the one in use, ready to take its place. */
export class SpareUpstream {
  readonly #options: SpareUpstreamOptions;
  readonly #opening = new AbortController();
  readonly #gop: GopBuffer;
  #analyser = new TsAnalyser();
  readonly #ready = Promise.withResolvers<void>();
  readonly #revoked = (): void => this.#fail(atCapacity());
  #place: SparePlace | undefined;
  #pump: UpstreamPump | undefined;
  /** What came before it was paused; lent until it goes on. */
  #held: readonly Buffer[] | undefined;
  #contentType: string | undefined;
  #flowingSinceMs = Infinity;
  #isTaken = false;

  /** Opens the upstream at once. */
  constructor(options: SpareUpstreamOptions) {
    this.#options = options;
    this.#gop = new GopBuffer(options.maxBytes);
    this.#ready.promise.catch(() => {}); // Mostly nobody waits.
    void this.#run();
  }

  get source(): Source {
    return this.#options.spare.source;
  }

  /** For how long it has given media. */
  get flowedMs(): number {
    return Math.max(0, this.#options.clock.monotonicMs() - this.#flowingSinceMs);
  }

  /**
   * Hands the upstream over, as soon as it gives media: what was kept goes to `target` first. The
   * caller closes the pump.
   *
   * @param taken - Called before any byte reaches the target.
   * @throws AppError when the upstream fails before; the signal's reason.
   */
  async take(
    target: PumpTarget,
    taken: (pump: UpstreamPump) => void,
    signal: AbortSignal,
  ): Promise<UpstreamPump> {
    this.#isTaken = true;
    this.#keepPlace();
    const leave = (): void => this.close();
    signal.addEventListener('abort', leave, { once: true });
    try {
      await this.#ready.promise;
      signal.throwIfAborted();
      return this.#handOver(target, taken);
    } catch (error) {
      this.close();
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', leave);
      this.#options.permit.release();
      this.#options.spare.close();
    }
  }

  /** Ends the connection at once, also one that is still being opened. Idempotent. */
  close(): void {
    this.#opening.abort();
    this.#pump?.close();
    this.#place?.revoked.removeEventListener('abort', this.#revoked);
    this.#ready.reject(this.#opening.signal.reason);
    this.#options.permit.release();
    this.#options.spare.close();
  }

  #handOver(target: PumpTarget, taken: (pump: UpstreamPump) => void): UpstreamPump {
    const pump = this.#pump;
    if (pump === undefined || this.#contentType === undefined) throw wrongType();
    const kept = this.#held ?? this.#gop.content;
    const goOn = beginner(pump, target, this.#contentType);
    // Until it begins, what the target knows is of the source before.
    pump.redirect({ ...target, push: goOn, facts: undefined });
    taken(pump);
    const goesOn = kept.length === 0 || goOn(kept);
    if (this.#held !== undefined && goesOn) pump.resume();
    return pump;
  }

  async #run(): Promise<void> {
    try {
      this.#pump = await this.#open();
      const end = await this.#pump.run();
      // Once handed over, its end is its new owner's business.
      if (this.#contentType !== undefined && this.#isTaken) return;
      this.#fail('failure' in end ? end.failure : wrongType());
    } catch (error) {
      this.#fail(toAppError(error));
    }
  }

  #fail(error: AppError): void {
    if (this.#opening.signal.aborted) return;
    this.#ready.reject(error);
    if (!this.#isTaken) {
      if (!this.#isRefusal(error)) this.#options.spare.failed(error);
      this.#options.failed(error);
    }
    this.close();
  }

  /** The account's limit speaks, ours or the provider's: the source is not to blame. */
  #isRefusal(error: AppError): boolean {
    return isAtCapacity(error) || this.#options.permit.isRefusal(error);
  }

  /** A place that is taken from it as soon as a viewer wants it, until it serves viewers itself. */
  async #placeFor({ headers }: Source): Promise<TakenPlace> {
    const place = await this.#options.allowance.ahead({ headers, use: 'standby' });
    if (place === undefined) throw atCapacity();
    const taken = new TakenPlace(place);
    if (this.#opening.signal.aborted) taken.releaseUnused();
    this.#opening.signal.throwIfAborted();
    this.#place = place;
    if (this.#isTaken) place.keep();
    else place.revoked.addEventListener('abort', this.#revoked, { once: true });
    return taken;
  }

  #keepPlace(): void {
    this.#place?.revoked.removeEventListener('abort', this.#revoked);
    this.#place?.keep();
  }

  async #open(): Promise<UpstreamPump> {
    const { stallMs, detection, clock, timers } = this.#options;
    const { signal } = this.#opening;
    const place = await this.#placeFor(this.source);
    const opening = openSource({ ...this.#options, place }, this.source, signal);
    // A playlist has no connection of its own: each of its segments asks for itself.
    const response = await opening.finally(() => place.releaseUnused());
    this.#options.permit.answered();
    const target = this.#target();
    return new UpstreamPump({ response, target, stallMs, detection, clock, timers });
  }

  #target(): PumpTarget {
    return {
      begin: (contentType) => this.#begin(contentType),
      push: (parts) => this.#keep(parts),
      suspected: () => {},
      facts: this.#options.mode === 'reading' ? () => this.#analyser.facts : undefined,
      isSpare: true,
      restart: () => {
        this.#analyser = new TsAnalyser();
      },
    };
  }

  #begin(contentType: string): void {
    this.#contentType = contentType;
    this.#flowingSinceMs = this.#options.clock.monotonicMs();
    this.#options.spare.flowing();
  }

  #keep(parts: readonly Buffer[]): boolean {
    const isReading = this.#options.mode === 'reading';
    if (isReading) this.#read(parts);
    else this.#held = parts;
    this.#ready.resolve();
    return isReading;
  }

  #read(parts: readonly Buffer[]): void {
    this.#gop.push(parts);
    // What is no transport stream has nothing to be known.
    if (parts.every((part) => part[0] === SYNC)) this.#analyser.push(parts);
  }
}

const atCapacity = (): UpstreamError =>
  new UpstreamError('PROVIDER_AT_CAPACITY', {
    message: 'A viewer needs the place of this standby.',
  });

const SYNC = 0x47;

/** Begins the target with the first bytes that it gets: now, or with what comes next. */
const beginner =
  (pump: UpstreamPump, target: PumpTarget, contentType: string): PumpTarget['push'] =>
  (parts) => {
    pump.redirect(target);
    target.begin(contentType);
    return target.push(parts);
  };
