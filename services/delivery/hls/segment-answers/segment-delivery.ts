import { AppError } from '#kernel/app-error';
import type { Target } from '#hls';
import type { Clock, Timers } from '#kernel/clock';
import type { ClientId } from '#kernel/ids';
import { orAbort } from '#kernel/or-abort';
import { answerTo, holds } from '#segments';
import type { OpenedSegment, Outlet, RangeRequest, SegmentOrigin, SegmentStore } from '#segments';
import type { ConnectionAllowance } from '#upstream';
import { statusError } from '#delivery/hls/playlists';
import type { HlsStream } from '#delivery/hls/playlists';
import { KEY_BYTES, noMedia } from './inspect-response.ts';
import { sourceTagOf, VIEWER_PATIENCE_MS } from '#delivery/viewing';
import type { Presence } from '#delivery/viewing';
import { headAtSource } from './segment-head.ts';
import { refusalHeaders, segmentHeaders } from './segment-headers.ts';
import { lookAtSegment } from './segment-media.ts';
import type { SegmentProbe } from './segment-media.ts';
import type { SegmentOpener } from './segment-opener.ts';
import { StreamSegments } from './stream-segments.ts';

/** One viewer's request for one resource. */
export type SegmentExchange = {
  readonly hls: HlsStream;
  readonly presence: Presence;
  readonly target: Target;
  readonly ranges: RangeRequest;
  /** Only what would be said of it is wanted. */
  readonly isHead: boolean;
  /** Aborts when the viewer leaves or is ended. */
  readonly signal: AbortSignal;
};

/** A segment, key or init section whose first bytes have come. Must be sent. */
export type SegmentAnswer = {
  /** 200, 206, 416, or the error of the source. */
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

/** A whole segment in memory. `release` it when its bytes have been sent. */
export type SegmentAtHand = {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  /** Idempotent. */
  release(): void;
};

export type SegmentDeliveryOptions = {
  readonly store: SegmentStore;
  readonly opener: SegmentOpener;
  readonly allowance: ConnectionAllowance;
  /** Looks into segments that have been sent; nobody does when absent. */
  readonly mediaProbe?: SegmentProbe | undefined;
  readonly aheadCount: number;
  readonly clock: Clock;
  readonly timers: Timers;
  /** A source that is silent for longer has stalled, whatever the stream's rhythm. */
  readonly maxStallMs: number;
};

/** Gives viewers what playlists named, and tells the stream how it went. */
export class SegmentDelivery {
  readonly #options: SegmentDeliveryOptions;
  readonly #streams = new WeakMap<HlsStream, StreamSegments>();

  constructor(options: SegmentDeliveryOptions) {
    this.#options = options;
  }

  /** What is known of one stream's segments. */
  segmentsOf(hls: HlsStream): StreamSegments {
    const known = this.#streams.get(hls);
    if (known) return known;
    const segments = new StreamSegments({ ...this.#options, hls });
    this.#streams.set(hls, segments);
    return segments;
  }

  /** Nobody asks for its segments now; what was kept of a stream that was removed goes too. */
  forget(hls: HlsStream): void {
    this.#streams.get(hls)?.close();
    this.#streams.delete(hls);
  }

  /**
   * Asks the source in use; for a film also once more when the failure has moved the stream on.
   * @throws UpstreamError, MediaError: the source could not be reached, or sent no media.
   */
  async open(exchange: SegmentExchange): Promise<SegmentAnswer> {
    const { hls, signal } = exchange;
    const target = await hls.whereNow(exchange.target, signal);
    const said = exchange.isHead ? await this.#head({ ...exchange, target }) : undefined;
    if (said) return said;
    const outcome = await this.#ask({ ...exchange, target });
    const failure = failureOf(outcome);
    if (!failure) return this.#answer(outcome, { ...exchange, target });
    const moved = hls.segmentFailed(target, failure);
    const isWorthWaiting = target.place !== undefined || hls.mayBeRenewed(target, failure);
    if (isWorthWaiting) await orAbort(moved, signal);
    const elsewhere = await hls.whereNow(exchange.target, signal);
    if (elsewhere.url === target.url) return this.#answer(outcome, { ...exchange, target });
    if ('opened' in outcome) outcome.opened.close();
    const second = { ...exchange, target: elsewhere };
    return this.#answer(await this.#ask(second), second);
  }

  /** What is in memory already, to be sent whole, at once; nothing where anything has to be asked. */
  atHand(hls: HlsStream, target: Target, clientId: ClientId): SegmentAtHand | undefined {
    const isMedia = target.kind === 'segment' || target.kind === 'map';
    if (!isMedia || target.source !== sourceTagOf(hls.source)) return undefined;
    const segments = this.segmentsOf(hls);
    const opened = segments.peek({ target });
    const bytes = opened?.whole;
    if (!opened || !bytes || opened.head.status !== 200) {
      opened?.close();
      return undefined;
    }
    segments.passed({ target }, clientId);
    segments.counter.answered(clientId, opened);
    segments.counter.served(clientId, bytes.length);
    const isFilm = segments.isFilm(target);
    const { kind, url } = target;
    const { targetDurationMs } = hls;
    return {
      headers: segmentHeaders(opened.head, { kind, url, isFilm, targetDurationMs }, whole(bytes)),
      bytes,
      release: () => opened.close(),
    };
  }

  /** Without its body, where it is not here; nothing where the resource itself has to be asked for. */
  async #head(exchange: SegmentExchange): Promise<SegmentAnswer | undefined> {
    const { hls, target, ranges, presence, signal } = exchange;
    const segments = this.segmentsOf(hls);
    if (segments.isKept(target)) return undefined;
    const source = hls.sourceAt(segments.sourceOf(target), target.url);
    const head = await headAtSource(this.#options.opener, { source, target, ranges }, signal);
    if (!head) return undefined;
    const answer = answerTo(ranges, head);
    const send = async (outlet: Outlet): Promise<void> => {
      outlet.end();
      presence.close('segment_described');
    };
    const headers = segmentHeaders(head, this.#describe(exchange), answer);
    return { status: answer.status, headers, clientId: presence.clientId, send };
  }

  async #ask(exchange: SegmentExchange): Promise<Outcome> {
    const { ranges, signal } = exchange;
    try {
      const opened = await this.#openFor(exchange, ranges.range);
      const isStale = ranges.range !== undefined && !holds(ranges.condition, opened.head);
      if (!isStale || opened.head.status !== 206) return { opened, isStale };
      // It has changed since the player began: it gets the whole of what it is now.
      opened.close();
      return { opened: await this.#openFor(exchange, undefined), isStale };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof AppError && error.code !== 'INTERNAL') return { failure: error };
      throw error;
    }
  }

  async #openFor(
    { hls, presence, target, signal }: SegmentExchange,
    range: RangeRequest['range'],
  ): Promise<OpenedSegment> {
    const segments = this.segmentsOf(hls);
    const opened = await segments.open({ target, range }, presence.clientId, signal);
    segments.counter.answered(presence.clientId, opened);
    return opened;
  }

  async #answer(outcome: Outcome, exchange: SegmentExchange): Promise<SegmentAnswer> {
    if ('failure' in outcome) throw outcome.failure;
    const { opened, isStale } = outcome;
    if (opened.head.status >= 300) return this.#refuse(opened, exchange);
    if (exchange.target.kind === 'key') return this.#key(opened, exchange);
    const answer = answerTo(isStale ? {} : exchange.ranges, opened.head);
    return {
      status: answer.status,
      headers: segmentHeaders(opened.head, this.#describe(exchange), answer),
      clientId: exchange.presence.clientId,
      send: async (outlet) => {
        if (exchange.isHead) {
          opened.close();
          outlet.end();
          return exchange.presence.close('segment_described');
        }
        const failure = await opened.sendTo(outlet, answer.part, {
          signal: exchange.signal,
          timers: this.#options.timers,
          patienceMs: VIEWER_PATIENCE_MS,
          served: (bytes) => this.#served(exchange, bytes),
        });
        this.#conclude(exchange, opened.origin, failure);
      },
    };
  }

  #refuse(opened: OpenedSegment, { presence }: SegmentExchange): SegmentAnswer {
    const { status } = opened.head;
    opened.close();
    const send = async (outlet: Outlet): Promise<void> => {
      outlet.end();
      presence.close('segment_refused');
    };
    const headers = refusalHeaders(opened.head);
    return { status, headers, clientId: presence.clientId, send };
  }

  /** A key is looked at as a whole: what has another length is no key, whatever its status. */
  async #key(opened: OpenedSegment, exchange: SegmentExchange): Promise<SegmentAnswer> {
    try {
      const key = await opened.read(KEY_BYTES, exchange.signal);
      if (key?.length !== KEY_BYTES) throw noMedia();
      const length = { lengthBytes: KEY_BYTES, contentRange: undefined };
      return {
        status: 200,
        headers: segmentHeaders(opened.head, this.#describe(exchange), length),
        clientId: exchange.presence.clientId,
        send: async (outlet) => {
          this.#served(exchange, KEY_BYTES);
          outlet.end(key);
          this.#conclude(exchange, opened.origin, undefined);
        },
      };
    } finally {
      opened.close();
    }
  }

  #describe({ hls, target }: SegmentExchange) {
    const isFilm = this.segmentsOf(hls).isFilm(target);
    const { targetDurationMs } = hls;
    return { kind: target.kind, url: target.url, isFilm, targetDurationMs };
  }

  #served({ hls, presence }: SegmentExchange, bytes: number): void {
    presence.served(bytes);
    this.segmentsOf(hls).counter.served(presence.clientId, bytes);
  }

  #conclude(exchange: SegmentExchange, origin: SegmentOrigin, failure: AppError | undefined): void {
    const { hls, presence, target, signal } = exchange;
    if (signal.aborted) return presence.close('client_disconnected');
    if (failure) {
      void hls.segmentFailed(target, failure);
      return presence.close('segment_failed');
    }
    // What was here already says nothing about the source.
    if (origin === 'source' || origin === 'shared') hls.segmentSucceeded(target);
    if (target.kind === 'segment') {
      presence.segmentServed();
      this.#look(hls, target);
    }
    presence.close('segment_served');
  }

  /** By what is kept of it: nothing is asked for. */
  #look(hls: HlsStream, target: Target): void {
    const { mediaProbe } = this.#options;
    if (mediaProbe === undefined) return;
    const kept = this.segmentsOf(hls).peek({ target });
    if (kept?.whole) void lookAtSegment(mediaProbe, hls.stream, kept.whole);
    kept?.close();
  }
}

const whole = ({ length }: Buffer) => ({ lengthBytes: length, contentRange: undefined });

type Outcome =
  /** `isStale`: the player's part is of another version; it gets the whole. */
  { readonly opened: OpenedSegment; readonly isStale: boolean } | { readonly failure: AppError };

function failureOf(outcome: Outcome): AppError | undefined {
  if ('failure' in outcome) return outcome.failure;
  const { status } = outcome.opened.head;
  return status < 300 ? undefined : statusError(status);
}
