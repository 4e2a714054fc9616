import type { AppError } from '#kernel/app-error';
import type { ConnectionUse } from './connection-use.ts';
import type { TakenPlace } from './taken-place.ts';

/** How long each phase of one request may take; all in milliseconds. */
export type UpstreamTimeouts = {
  /** Name look-up, TCP and TLS, anew for each redirect. */
  readonly connectMs: number;
  /** Request sent to the end of the response head. */
  readonly headersMs: number;
};

export type UpstreamRequest = {
  readonly method: 'GET' | 'HEAD';
  /** http or https; sent as it stands, never re-encoded. */
  readonly url: string;
  /**
   * All that is sent besides `Host`, `Connection` and `Accept-Encoding: identity`. They know their
   * way out (`headersVia`).
   */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeouts: UpstreamTimeouts;
  /**
   * A short request among many: it may travel on a connection that an earlier one left open, and
   * leaves its own open for the next when its answer has been read to the end.
   */
  readonly keepsConnection?: boolean;
  /** What it is for, where its account has a limit; as the client has it, when absent. */
  readonly use?: ConnectionUse;
  /** How long it may wait for a place at its provider; as its use has it, when absent. */
  readonly patienceMs?: number | undefined;
  /** Its place at the provider, where it has one already. */
  readonly place?: TakenPlace | undefined;
};

/** Takes a body. Exactly one of `end` and `fail` is called, once, last. */
export interface BodySink {
  /**
   * Takes the next bytes. The memory is lent: it is reused after the call returns true, and after
   * `resume` when it returned false. A sink that keeps bytes for longer copies them.
   * @returns false to stop reading until `UpstreamBody.resume`.
   */
  chunk(bytes: Buffer): boolean;
  /** The body is complete as its framing has it (for an unframed one: the connection closed). */
  end(): void;
  /** `UPSTREAM_RESET` or `UPSTREAM_TRUNCATED`: what came is not all there was. */
  fail(error: AppError): void;
  /** What follows has times, counters and tables of its own. Sinks of files never hear of it. */
  restart?(): void;
}

/** A response whose head has arrived; the caller owns it and must `read` it or `close` it. */
export interface UpstreamResponse {
  readonly status: number;
  /** Lower-case names; repeated ones joined with a comma. */
  readonly headers: ReadonlyMap<string, string>;
  /** Where redirects led. */
  readonly finalUrl: string;
  /** A silence this long is the body's nature, in milliseconds; as it is known now. */
  readonly burstMs?: number;
  /** The end of the body is the end of the film, and no failure. */
  readonly hasEnd?: boolean;
  /** Starts the body. Nothing is read from the socket beyond one buffer before this is called. */
  read(sink: BodySink): void;
  /** Goes on after a sink said false. Harmless otherwise. */
  resume(): void;
  /** Ends the connection at once; no call of the sink follows. Idempotent. */
  close(): void;
}

/** Opens connections to sources. */
export interface UpstreamClient {
  /**
   * Sends one request and follows redirects (never to another scheme than http and https).
   * Any status is an answer; judging it is the caller's business.
   *
   * @param signal - Ends the attempt, up to the head; the connection is closed at once. Rejects
   *   with the signal's reason.
   * @throws UpstreamError `UPSTREAM_REFUSED` `UPSTREAM_DNS` `UPSTREAM_TLS` `UPSTREAM_TIMEOUT`
   *   `UPSTREAM_RESET` `UPSTREAM_PROTOCOL` `UPSTREAM_REDIRECT_LOOP`, and `EGRESS_FAILED`: nothing
   *   is then sent past the egress.
   * @throws InvalidInputError `UPSTREAM_TARGET_FORBIDDEN` for an address that may not be reached
   *   (judged after name look-up, on every hop).
   */
  open(request: UpstreamRequest, signal: AbortSignal): Promise<UpstreamResponse>;
}

/** What a server said of a version of a resource, as it wrote it: to ask whether it still holds. */
export type Validators = {
  readonly etag?: string;
  readonly lastModified?: string;
};

/** A small text resource: a playlist. */
export type FetchedText = {
  readonly status: number;
  readonly finalUrl: string;
  readonly contentType: string | undefined;
  /** The server has said how long the body is. */
  readonly isSized?: boolean;
  readonly validators: Validators;
  /** Decompressed and decoded. Empty unless the status is 200 to 299. */
  readonly text: string;
  /**
   * How it was decoded: byte by byte (latin1) where it is not valid UTF-8. Encoded the same way,
   * the text gives the bytes that came.
   */
  readonly encoding: 'utf8' | 'latin1';
};

/** Fetches playlists, whole. */
export interface TextClient {
  /**
   * @throws as {@link UpstreamClient.open}, and MediaError `PLAYLIST_TOO_LARGE` as soon as more
   *   than `maxBytes` have been read or decompressed, and `UPSTREAM_TRUNCATED`.
   */
  get(
    request: {
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      /** Of the version that the caller has: where it still holds the answer is 304. */
      readonly validators?: Validators;
      readonly maxBytes: number;
      /**
       * What the text must begin with, after a byte order mark. As soon as it cannot, reading
       * ends, and the text is only what came so far: an endless body costs one read.
       */
      readonly opening?: string;
      /** The whole exchange. */
      readonly timeoutMs: number;
    },
    signal: AbortSignal,
  ): Promise<FetchedText>;
}
