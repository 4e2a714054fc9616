import { type AppError, toAppError, UpstreamError } from '#kernel/app-error';
import { systemTimers, type Timer } from '#kernel/clock';
import type { BodySink, UpstreamTimeouts } from '#upstream';
import { failureVia } from './egress-route.ts';
import { type BodyDecoder, decoderFor } from './raw/body-decoder.ts';
import { type FoundHead, HeadReader, type ResponseHead } from './raw/response-head.ts';
import { Wire, type WireListener, type WireOptions } from './wire.ts';

export type ExchangeOptions = WireOptions & {
  readonly method: 'GET' | 'HEAD';
  readonly requestHead: Buffer;
  readonly timeouts: UpstreamTimeouts;
  /** A connection that is open already. */
  readonly wire?: Wire | undefined;
  /** Takes the connection over when the answer has been read and another may follow. */
  readonly giveBack?: ((wire: Wire) => void) | undefined;
};

type Phase = 'connect' | 'headers' | 'held' | 'body' | 'over';

/** One request and its answer on one connection. */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #wire: Wire;
  readonly #answered = Promise.withResolvers<ResponseHead>();
  readonly #headReader = new HeadReader();
  #phase: Phase = 'connect';
  #deadline: Timer;
  #decoder: BodyDecoder | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #sink: BodySink | undefined;
  /** The sink said stop. */
  #isPaused = false;
  /** The connection is somebody else's by now. */
  #isGivenBack = false;
  #isPersistent = false;
  /** How the body ended, kept until the sink goes on. */
  #outcome: ((sink: BodySink) => void) | undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    const listener: WireListener = {
      ready: () => this.#send(),
      bytes: (bytes) => this.#bytes(bytes),
      ended: () => this.#ended(),
      failed: (error) => this.#fail(error),
    };
    this.#wire = options.wire ?? new Wire(options, listener);
    this.#deadline = this.#within(options.timeouts.connectMs);
    if (!options.wire) return;
    options.wire.listenFor(listener);
    this.#send();
  }

  /** The head of the answer, or why none came; with the signal, its reason. */
  async answered(signal: AbortSignal): Promise<ResponseHead> {
    const leave = (): void => {
      this.#answered.reject(signal.reason);
      this.close();
    };
    signal.addEventListener('abort', leave, { once: true });
    try {
      if (signal.aborted) leave();
      return await this.#answered.promise;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  read(sink: BodySink): void {
    if (this.#phase !== 'held') return;
    this.#phase = 'body';
    this.#sink = sink;
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    if (this.#take(rest) && !this.#isGivenBack) this.#wire.resume();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#outcome === undefined) this.#wire.resume();
    else this.#conclude();
  }

  /** Nobody wants the body. One that has come with its head leaves the connection to the next. */
  discard(): void {
    this.read(NOBODY);
    this.close();
  }

  close(): void {
    this.#phase = 'over';
    this.#deadline.cancel();
    if (!this.#isGivenBack) this.#wire.close();
  }

  #send(): void {
    this.#deadline.cancel();
    this.#deadline = this.#within(this.#options.timeouts.headersMs);
    this.#phase = 'headers';
    this.#wire.write(this.#options.requestHead);
  }

  #within(delayMs: number): Timer {
    return systemTimers.after(delayMs, () => {
      const message = 'The provider did not answer in time.';
      const details = { phase: this.#phase };
      const late = new UpstreamError('UPSTREAM_TIMEOUT', { message, details });
      this.#fail(failureVia(this.#options.route, late));
    });
  }

  #bytes(bytes: Buffer): boolean {
    if (this.#phase === 'body') return this.#take(bytes);
    const found = this.#orFail(() => this.#headReader.push(bytes));
    if (found === undefined) return true;
    return this.#hold(found);
  }

  #hold(found: FoundHead): boolean {
    this.#decoder = this.#orFail(() => decoderFor(this.#options.method, found.head));
    if (this.#decoder === undefined) return true;
    this.#rest = found.rest;
    this.#isPersistent = found.head.isPersistent;
    this.#phase = 'held';
    this.#deadline.cancel();
    this.#answered.resolve(found.head);
    return false;
  }

  /** Passes on what is payload; false when the sink wants no more for now. */
  #take(bytes: Buffer): boolean {
    const decoder = this.#decoder;
    if (decoder === undefined || this.#sink === undefined) return false;
    const payload = decoder.decode(bytes);
    if (payload.length > 0) this.#isPaused = !this.#sink.chunk(payload);
    if (decoder.isBroken) this.#fail(truncated());
    else if (decoder.isDone) this.#done(decoder.hasExtra);
    return !this.#isPaused;
  }

  /** Runs a parser; nothing when it found the answer broken, which has then been told. */
  #orFail<T>(parse: () => T): T | undefined {
    try {
      return parse();
    } catch (error) {
      this.#fail(toAppError(error));
      return undefined;
    }
  }

  #ended(): void {
    if (this.#decoder?.endsByClose === true) return this.#over((sink) => sink.end());
    this.#fail(this.#decoder === undefined ? unanswered() : truncated());
  }

  #fail(error: AppError): void {
    if (this.#phase === 'body') return this.#over((sink) => sink.fail(asBodyFailure(error)));
    this.#answered.reject(error);
    this.close();
  }

  /** The answer is complete: its connection is kept where another request may use it. */
  #done(hasExtra: boolean): void {
    const { giveBack } = this.#options;
    const isReusable = this.#isPersistent && !hasExtra && !this.#isPaused && this.#wire.isOpen;
    if (giveBack && isReusable && this.#phase === 'body') {
      this.#isGivenBack = true;
      giveBack(this.#wire);
    }
    this.#over((sink) => sink.end());
  }

  /** The connection has done its work; the sink hears of it now, or when it goes on. */
  #over(outcome: (sink: BodySink) => void): void {
    if (this.#phase !== 'body') return;
    if (!this.#isGivenBack) this.#wire.close();
    this.#outcome = outcome;
    if (!this.#isPaused) this.#conclude();
  }

  #conclude(): void {
    const sink = this.#sink;
    const outcome = this.#outcome;
    if (sink === undefined || this.#phase !== 'body') return;
    this.#phase = 'over';
    outcome?.(sink);
  }
}

const NOBODY: BodySink = { chunk: () => true, end: () => {}, fail: () => {} };

const unanswered = (): UpstreamError =>
  new UpstreamError('UPSTREAM_RESET', {
    message: 'The provider closed the connection instead of answering.',
  });

const truncated = (): UpstreamError =>
  new UpstreamError('UPSTREAM_TRUNCATED', {
    message: "The provider's answer ended before all of it had come.",
  });

/** Whatever the socket said: bytes that should have come did not. */
const asBodyFailure = (error: AppError): UpstreamError =>
  error.code === 'UPSTREAM_TRUNCATED' && error instanceof UpstreamError
    ? error
    : new UpstreamError('UPSTREAM_RESET', {
        message: 'The provider broke the connection.',
        details: error.details,
        cause: error,
      });
