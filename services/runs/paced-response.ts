import { isPlaylist } from '#hls';
import type { Clock, Timers } from '#kernel/clock';
import { MediaPace } from '#mpegts';
import type { BodySink, UpstreamResponse } from '#upstream';
import { resolveFailed } from './resolver-error.ts';

export type PacedOptions = {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Called once, when it is closed. */
  readonly closed: () => void;
};

/** What players may get ahead of time: they begin at once, and live media is never held back. */
const MOST_AHEAD_MS = 10_000;
/** Programs hand on a segment at a time. */
const BURST_MS = 12_000;
const HEAD_BYTES = 64;

/** A transport stream that may come faster than it plays, as its viewers can take it together. */
export class PacedResponse implements UpstreamResponse {
  readonly #inner: UpstreamResponse;
  readonly #options: PacedOptions;
  readonly #pace = new MediaPace();
  #isHeld = false;
  #isWanted = true;
  #isClosed = false;
  #isFirst = true;

  constructor(inner: UpstreamResponse, options: PacedOptions) {
    this.#inner = inner;
    this.#options = options;
  }

  get status(): number {
    return this.#inner.status;
  }
  get headers(): ReadonlyMap<string, string> {
    return this.#inner.headers;
  }
  get finalUrl(): string {
    return this.#inner.finalUrl;
  }
  get burstMs(): number {
    return Math.max(BURST_MS, this.#inner.burstMs ?? 0);
  }
  get hasEnd(): boolean {
    return this.#inner.hasEnd ?? false;
  }

  read(sink: BodySink): void {
    this.#inner.read({
      chunk: (bytes) => this.#chunk(bytes, sink),
      end: () => sink.end(),
      fail: (error) => sink.fail(error),
      restart: () => sink.restart?.(),
    });
  }

  resume(): void {
    this.#isWanted = true;
    if (!this.#isHeld) this.#inner.resume();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#inner.close();
    this.#options.closed();
  }

  #chunk(bytes: Buffer, sink: BodySink): boolean {
    const { clock } = this.#options;
    // One that nobody here can read, as with DRM, is handed on as the text that it is.
    if (this.#isFirst && isPlaylist(bytes.toString('utf8', 0, HEAD_BYTES))) {
      this.close();
      sink.fail(resolveFailed('media'));
      return true;
    }
    this.#isFirst = false;
    const aheadMs = this.#pace.take(bytes, clock.monotonicMs());
    this.#isWanted = sink.chunk(bytes);
    if (aheadMs <= MOST_AHEAD_MS) return this.#isWanted;
    this.#hold(aheadMs - MOST_AHEAD_MS);
    return false;
  }

  #hold(holdMs: number): void {
    this.#isHeld = true;
    this.#options.timers.after(
      holdMs,
      () => {
        this.#isHeld = false;
        if (this.#isWanted && !this.#isClosed) this.#inner.resume();
      },
      { background: true },
    );
  }
}
