import { MediaError, UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { Clock, Timers } from '#kernel/clock';
import { PacketAligner } from '#mpegts';
import type { MediaKind } from '#streams';
import type { UpstreamResponse } from '#upstream';
import { judgeFirstBytes } from './first-bytes.ts';
import { StallWatch } from './stall-watch.ts';

/** Takes what a pump reads: parts are whole packets, lent until `resume` when it says false. */
export interface PumpTarget {
  /** Live media of this type begins. */
  begin(contentType: string): void;
  push(parts: readonly Buffer[]): boolean;
  /** The source has been silent for half of what makes a stall, or is heard again. */
  suspected(isSuspected: boolean): void;
}

export type PumpOptions = {
  readonly response: UpstreamResponse;
  readonly target: PumpTarget;
  readonly stallMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
};

/** How a pump ends: by a failure, or because the answer is another kind of media. */
export type PumpEnd =
  { readonly failure: AppError } | { readonly otherKind: Exclude<MediaKind, 'live'> };

/** Moves one upstream's bytes to a relay until the upstream fails. Live has no other end. */
export class UpstreamPump {
  readonly #options: PumpOptions;
  readonly #aligner = new PacketAligner();
  readonly #watch: StallWatch;
  readonly #end = Promise.withResolvers<PumpEnd>();
  #target: PumpTarget;
  #hasBegun = false;

  constructor(options: PumpOptions) {
    this.#options = options;
    this.#target = options.target;
    const { stallMs, clock, timers } = options;
    this.#watch = new StallWatch({
      limitMs: stallMs,
      clock,
      timers,
      stalled: () => this.#fail('UPSTREAM_STALLED', 'The source has stopped sending.'),
      suspected: (isSuspected) => this.#target.suspected(isSuspected),
    });
  }

  /** Media has come. */
  get hasBegun(): boolean {
    return this.#hasBegun;
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
  }

  /** Reads until the end; resolves with it. */
  run(): Promise<PumpEnd> {
    this.#options.response.read({
      chunk: (bytes) => this.#chunk(bytes),
      end: () => this.#fail('UPSTREAM_ENDED', 'The live source has closed its connection.'),
      fail: (error) => this.#close({ failure: error }),
    });
    return this.#end.promise;
  }

  resume(): void {
    this.#watch.resume();
    this.#options.response.resume();
  }

  close(): void {
    this.#watch.stop();
    this.#options.response.close();
  }

  #chunk(bytes: Buffer): boolean {
    this.#watch.heard();
    if (!this.#hasBegun && !this.#begin(bytes)) return true;
    const goesOn = this.#target.push(this.#aligner.align(bytes));
    if (!goesOn) this.#watch.pause();
    return goesOn;
  }

  #begin(bytes: Buffer): boolean {
    const { response } = this.#options;
    const isSized = response.headers.has('content-length');
    const verdict = judgeFirstBytes(response.headers.get('content-type'), isSized, bytes);
    if (verdict.kind === 'live') {
      this.#hasBegun = true;
      this.#target.begin(verdict.contentType);
      return true;
    }
    if (verdict.kind === 'not-media') this.#close({ failure: wrongType() });
    else this.#close({ otherKind: verdict.kind });
    return false;
  }

  #fail(code: 'UPSTREAM_STALLED' | 'UPSTREAM_ENDED', message: string): void {
    this.#close({ failure: new UpstreamError(code, { message }) });
  }

  #close(end: PumpEnd): void {
    this.close();
    this.#end.resolve(end);
  }
}

export const wrongType = (): MediaError =>
  new MediaError('UPSTREAM_WRONG_TYPE', {
    message: 'The source answered with something else than media.',
  });
