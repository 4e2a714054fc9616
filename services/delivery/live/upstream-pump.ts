import { MediaError, UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { Clock, Timers } from '#kernel/clock';
import { PACKET_BYTES, PacketAligner } from '#mpegts';
import type { TsFacts } from '#mpegts';
import type { MediaKind } from '#streams';
import type { UpstreamResponse } from '#upstream';
import type { SourceDetection } from './detection.ts';
import { judgeFirstBytes } from './first-bytes.ts';
import { ReadRest } from './read-rest.ts';
import { SourceWatch } from './source-watch.ts';

const NOTHING = Buffer.alloc(0);

/** Takes what a pump reads: parts are whole packets, lent until `resume` when it says false. */
export interface PumpTarget {
  /** Live media of this type begins. */
  begin(contentType: string): void;
  push(parts: readonly Buffer[]): boolean;
  /** What is known of the source that is pushed; absent where nobody looks, and so nobody judges. */
  readonly facts?: (() => TsFacts) | undefined;
  /** It only keeps what comes, in case it should be wanted. */
  readonly isSpare?: boolean;
  /** What is pushed next has times, counters and tables of its own. */
  readonly restart?: () => void;
  /** The source has been silent for half of what makes a stall, or is heard again. */
  suspected(isSuspected: boolean): void;
}

export type PumpOptions = {
  readonly response: UpstreamResponse;
  readonly target: PumpTarget;
  /** Nothing for so long is a stall, whatever the source's rhythm. */
  readonly stallMs: number;
  /** Several viewers have it: they share what it costs. */
  readonly isShared?: boolean;
  /** What else makes this source a bad one; nothing when absent. */
  readonly detection?: SourceDetection;
  readonly clock: Clock;
  readonly timers: Timers;
};

/** How a pump ends: by a failure, because the answer is another kind of media, or as a film does. */
export type PumpEnd =
  | { readonly failure: AppError }
  | { readonly otherKind: Exclude<MediaKind, 'live'> }
  | { readonly hasPlayed: true };

/** Moves one upstream's bytes to a relay until it fails. Live has no other end; a film has. */
export class UpstreamPump {
  readonly #options: PumpOptions;
  #aligner = new PacketAligner();
  readonly #watch: SourceWatch;
  readonly #rest: ReadRest;
  readonly #end = Promise.withResolvers<PumpEnd>();
  #target: PumpTarget;
  #hasBegun = false;
  /** What came before it was enough to judge. */
  #opening = NOTHING;
  #unheardBytes = 0;

  constructor(options: PumpOptions) {
    this.#options = options;
    this.#target = options.target;
    const { stallMs, detection, clock, timers } = options;
    this.#watch = new SourceWatch({
      stallMs,
      burstMs: () => options.response.burstMs ?? 0,
      detection,
      clock,
      timers,
      facts: () => this.#target.facts,
      isSpare: () => this.#target.isSpare ?? false,
      lostBytes: () => this.#aligner.lostBytes,
      failed: (failure) => this.#close({ failure }),
      suspected: (isSuspected) => this.#target.suspected(isSuspected),
    });
    const isLong = (): boolean => !options.isShared && detection?.hasOther() === false;
    this.#rest = new ReadRest({ isLong, clock, timers, over: () => options.response.resume() });
  }

  /** Media has come. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** What it reads is a film, whose end is no failure. */
  get hasEnd(): boolean {
    return this.#options.response.hasEnd ?? false;
  }

  /** When the last byte came, of the monotonic clock. */
  get lastByteMs(): number {
    return this.#watch.lastMs;
  }

  /** Resolves with how it ended; never rejects. */
  get ended(): Promise<PumpEnd> {
    return this.#end.promise;
  }

  /** What comes from now on goes to another target. */
  redirect(target: PumpTarget): void {
    this.#target = target;
    this.#watch.judgeAnew();
  }

  /** Reads until the end; resolves with it. */
  run(): Promise<PumpEnd> {
    this.#options.response.read({
      chunk: (bytes) => this.#chunk(bytes),
      end: () => this.#ended(),
      fail: (error) => this.#close({ failure: error }),
      restart: () => this.#restart(),
    });
    return this.#end.promise;
  }

  resume(): void {
    this.#watch.resume();
    this.#options.response.resume();
  }

  close(): void {
    this.#watch.stop();
    this.#rest.stop();
    this.#options.response.close();
  }

  #chunk(bytes: Buffer): boolean {
    this.#hear(bytes.length);
    const media = this.#hasBegun ? bytes : this.#begin(bytes);
    if (media === undefined) return true;
    const parts = this.#aligner.align(media);
    const goesOn = this.#target.push(parts);
    this.#watch.took(parts);
    if (!goesOn) this.#watch.pause();
    return goesOn && !this.#rests(bytes.length);
  }

  /** What is made of segments comes in pieces of memory: there is nothing to gather. */
  #rests(bytes: number): boolean {
    const { burstMs = 0, hasEnd = false } = this.#options.response;
    return burstMs === 0 && !hasEnd && this.#rest.begins(bytes);
  }

  /** Less than a packet is no sign of life: a source that drips is as good as silent. */
  #hear(bytes: number): void {
    this.#unheardBytes += bytes;
    if (this.#unheardBytes < PACKET_BYTES) return;
    this.#watch.heard(this.#unheardBytes);
    this.#unheardBytes = 0;
  }

  /** The first bytes, once there are enough to judge and they are live media. */
  #begin(bytes: Buffer): Buffer | undefined {
    const isFirst = this.#opening.length === 0;
    const opening = isFirst ? bytes : Buffer.concat([this.#opening, bytes]);
    const isEnough = opening.length >= PACKET_BYTES;
    this.#opening = isEnough ? NOTHING : Buffer.from(opening); // What was lent is not kept.
    return isEnough && this.#judge(opening) ? opening : undefined;
  }

  #judge(opening: Buffer): boolean {
    const { response } = this.#options;
    const isSized = response.headers.has('content-length');
    const verdict = judgeFirstBytes(response.headers.get('content-type'), isSized, opening);
    if (verdict.kind === 'live') {
      this.#hasBegun = true;
      this.#target.begin(verdict.contentType);
      return true;
    }
    if (verdict.kind === 'not-media') this.#close({ failure: wrongType() });
    else this.#close({ otherKind: verdict.kind });
    return false;
  }

  #restart(): void {
    if (!this.#hasBegun) return;
    this.#aligner = new PacketAligner();
    this.#watch.restart();
    this.#target.restart?.();
  }

  /** A body that ends before it is a packet long may still be a page, or a playlist. */
  #ended(): void {
    const isShort = !this.#hasBegun && this.#opening.length > 0;
    if (isShort && !this.#judge(this.#opening)) return;
    this.#close(this.hasEnd ? { hasPlayed: true } : { failure: ended() });
  }

  #close(end: PumpEnd): void {
    this.close();
    this.#end.resolve(end);
  }
}

const ended = (): UpstreamError =>
  new UpstreamError('UPSTREAM_ENDED', { message: 'The live source has closed its connection.' });

export const wrongType = (): MediaError =>
  new MediaError('UPSTREAM_WRONG_TYPE', {
    message: 'The source answered with something else than media.',
  });
