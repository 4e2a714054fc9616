import { AppError } from '#kernel/app-error';
import type { Target } from '#hls';
import type { Timers } from '#kernel/clock';
import type { ClientId } from '#kernel/ids';
import { orAbort } from '#kernel/or-abort';
import type { UpstreamResponse } from '#upstream';
import { statusError } from './fetch-playlist.ts';
import type { HlsStream } from './hls-stream.ts';
import type { Presence } from './presence.ts';
import { SegmentBody } from './segment-body.ts';
import type { Outlet } from './segment-body.ts';
import { refusalHeaders, segmentHeaders } from './segment-headers.ts';
import type { RangeHeaders, SegmentOpener } from './segment-opener.ts';

/** One viewer's request for one resource. */
export type SegmentExchange = {
  readonly hls: HlsStream;
  readonly presence: Presence;
  readonly target: Target;
  readonly ranges: RangeHeaders;
  /** Aborts when the viewer leaves or is ended. */
  readonly signal: AbortSignal;
};

/** A segment, key or init section whose head has come. Must be sent. */
export type SegmentAnswer = {
  /** As the source answered: 200, 206, or its own error. */
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly clientId: ClientId;
  /**
   * Sends the body and ends `outlet`; destroys it when the body cannot be completed or the viewer
   * is ended. Call once, after the head: it also ends the viewer's request. Never rejects.
   */
  send(outlet: Outlet): Promise<void>;
};

export type SegmentDeliveryOptions = {
  readonly opener: SegmentOpener;
  readonly timers: Timers;
  /** A source that is silent for longer has stalled, whatever the stream's rhythm. */
  readonly maxStallMs: number;
};

const MIN_STALL_MS = 2_000;

/** Passes resources through and tells the stream how it went. */
export class SegmentDelivery {
  readonly #options: SegmentDeliveryOptions;

  constructor(options: SegmentDeliveryOptions) {
    this.#options = options;
  }

  /**
   * Asks the source in use; for a film also once more when the failure has moved the stream on.
   * @throws UpstreamError, MediaError: the source could not be reached, or sent no media.
   */
  async open(exchange: SegmentExchange): Promise<SegmentAnswer> {
    const { hls, signal } = exchange;
    const target = await hls.whereNow(exchange.target, signal);
    const outcome = await this.#ask({ ...exchange, target });
    const failure = failureOf(outcome);
    if (!failure) return this.#answer(outcome, { ...exchange, target });
    const moved = hls.segmentFailed(target, failure);
    const isWorthWaiting = target.place !== undefined || hls.mayBeRenewed(target, failure);
    if (isWorthWaiting) await orAbort(moved, signal);
    const elsewhere = await hls.whereNow(exchange.target, signal);
    if (elsewhere.url === target.url) return this.#answer(outcome, { ...exchange, target });
    if ('response' in outcome) outcome.response.close();
    const second = { ...exchange, target: elsewhere };
    return this.#answer(await this.#ask(second), second);
  }

  async #ask(exchange: SegmentExchange): Promise<Outcome> {
    const { hls, signal } = exchange;
    try {
      return { response: await this.#options.opener.open(hls.source, exchange, signal) };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof AppError && error.code !== 'INTERNAL') return { failure: error };
      throw error;
    }
  }

  #answer(outcome: Outcome, exchange: SegmentExchange): SegmentAnswer {
    if ('failure' in outcome) throw outcome.failure;
    const { response } = outcome;
    const { presence, target } = exchange;
    const { clientId } = presence;
    const { status } = response;
    if (status < 300) {
      const headers = segmentHeaders(response, target);
      const send = (outlet: Outlet): Promise<void> => this.#send(response, outlet, exchange);
      return { status, headers, clientId, send };
    }
    response.close();
    const send = async (outlet: Outlet): Promise<void> => {
      outlet.end();
      presence.close('segment_refused');
    };
    return { status, headers: refusalHeaders(response), clientId, send };
  }

  async #send(
    response: UpstreamResponse,
    outlet: Outlet,
    exchange: SegmentExchange,
  ): Promise<void> {
    const body = this.#bodyOf(response, exchange);
    const failure = await body.pipeTo(outlet, exchange.signal);
    if (exchange.signal.aborted) exchange.presence.close('client_disconnected');
    else conclude(exchange, failure);
  }

  #bodyOf(response: UpstreamResponse, exchange: SegmentExchange): SegmentBody {
    const { hls, presence, target, ranges } = exchange;
    const { opener, timers, maxStallMs } = this.#options;
    return new SegmentBody({
      response,
      reopen: (range, signal) =>
        opener.open(
          hls.source,
          { target, ranges: range === undefined ? ranges : { range } },
          signal,
        ),
      // Within one target duration the player still has something to show.
      stallMs: Math.min(maxStallMs, Math.max(MIN_STALL_MS, hls.targetDurationMs)),
      timers,
      served: (bytes) => presence.served(bytes),
    });
  }
}

type Outcome = { readonly response: UpstreamResponse } | { readonly failure: AppError };

function failureOf(outcome: Outcome): AppError | undefined {
  if ('failure' in outcome) return outcome.failure;
  const { status } = outcome.response;
  return status < 300 ? undefined : statusError(status);
}

function conclude({ hls, presence, target }: SegmentExchange, failure: AppError | undefined): void {
  if (failure) {
    void hls.segmentFailed(target, failure);
    presence.close('segment_failed');
    return;
  }
  hls.segmentSucceeded(target);
  if (target.kind === 'segment') presence.segmentServed();
  presence.close('segment_served');
}
