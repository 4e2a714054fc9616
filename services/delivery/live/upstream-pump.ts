import { MediaError, UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { Clock, Timers } from '#kernel/clock';
import { PacketAligner } from '#mpegts';
import type { TsFacts } from '#mpegts';
import type { MediaKind } from '#streams';
import type { UpstreamResponse } from '#upstream';
import { judgeFirstBytes } from './first-bytes.ts';
import type { SourceDetection } from './detection.ts';
import { SourceWatch } from './source-watch.ts';

/** Takes what a pump reads: parts are whole packets, lent until `resume` when it says false. */
export interface PumpTarget {
  /** Live media of this type begins. */
  begin(contentType: string): void;
  push(parts: readonly Buffer[]): boolean;
  /** What is known of the source that is pushed; absent where nobody looks, and so nobody judges. */
  readonly facts?: () => TsFacts;
  /** The source has been silent for half of what makes a stall, or is heard again. */
  suspected?(isSuspected: boolean): void;
}

export type PumpOptions = {
  readonly response: UpstreamResponse;
  readonly target: PumpTarget;
  /** Nothing for so long is a stall, whatever the source's rhythm. */
  readonly stallMs: number;
  /** What else makes this source a bad one; nothing when absent. */
  readonly detection?: SourceDetection;
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
  readonly #watch: SourceWatch;
  readonly #end = Promise.withResolvers<PumpEnd>();
  #hasBegun = false;

  constructor(options: PumpOptions) {
    this.#options = options;
    const { target, stallMs, detection, clock, timers } = options;
    this.#watch = new SourceWatch({
      stallMs,
      detection,
      clock,
      timers,
      facts: () => target.facts,
      lostBytes: () => this.#aligner.lostBytes,
      failed: (failure) => this.#close({ failure }),
      suspected: (isSuspected) => target.suspected?.(isSuspected),
    });
  }

  /** Reads until the end; resolves with it. */
  run(): Promise<PumpEnd> {
    this.#options.response.read({
      chunk: (bytes) => this.#chunk(bytes),
      end: () => this.#close({ failure: ended() }),
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
    this.#watch.heard(bytes.length);
    if (!this.#hasBegun && !this.#begin(bytes)) return true;
    const parts = this.#aligner.align(bytes);
    const goesOn = this.#options.target.push(parts);
    this.#watch.took(parts);
    if (!goesOn) this.#watch.pause();
    return goesOn;
  }

  #begin(bytes: Buffer): boolean {
    const { response, target } = this.#options;
    const isSized = response.headers.has('content-length');
    const verdict = judgeFirstBytes(response.headers.get('content-type'), isSized, bytes);
    if (verdict.kind === 'live') {
      this.#hasBegun = true;
      target.begin(verdict.contentType);
      return true;
    }
    if (verdict.kind === 'not-media') this.#close({ failure: wrongType() });
    else this.#close({ otherKind: verdict.kind });
    return false;
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
