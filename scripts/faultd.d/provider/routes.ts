import type { LoopedTs } from '../looped-ts.ts';
import type { Recorded } from './ledger.ts';

/** What an address of the provider serves. A key that ends in `/` serves all that is beneath it. */
export type Route =
  LiveRoute | FileRoute | FolderRoute | HlsLiveRoute | TextRoute | RedirectRoute | AnswerRoute;

export type LiveRoute = {
  readonly kind: 'live';
  readonly source: LoopedTs;
  /** 1 is real time; `Infinity` sends as fast as it is read. */
  readonly speed: number;
  readonly contentType: string;
  /** Providers do both: chunked, or a body that ends with its connection. */
  readonly framing: 'chunked' | 'close';
};

export type FileRoute = {
  readonly kind: 'file';
  readonly path: string;
  readonly contentType?: string;
  /** False: ranges are ignored, and not offered. */
  readonly ranges?: boolean;
  readonly etag?: string;
  readonly lastModified?: string;
  /** As fast as it is read when absent. */
  readonly bytesPerSecond?: number;
};

export type FolderRoute = { readonly kind: 'folder'; readonly path: string };

export type HlsLiveRoute = {
  readonly kind: 'hls-live';
  readonly source: LoopedTs;
  readonly segmentMs: number;
  /** Segments in the playlist. */
  readonly window: number;
  /** AES-128 with `key.bin` beside the playlist. */
  readonly encrypted: boolean;
};

export type TextRoute = {
  readonly kind: 'text';
  readonly body: string | Buffer;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
};

export type RedirectRoute = {
  readonly kind: 'redirect';
  readonly to: string;
  readonly status: number;
};

export type AnswerRoute = {
  readonly kind: 'answer';
  readonly call: (request: Recorded) => Answer | Promise<Answer>;
};

export type Answer = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
};

/** An endless transport stream; who connects gets it from the last keyframe before now. */
export const liveTs = (source: LoopedTs, options: Partial<LiveRoute> = {}): LiveRoute => ({
  speed: 1,
  contentType: 'video/mp2t',
  framing: 'chunked',
  ...options,
  kind: 'live',
  source,
});

export const file = (path: string, options: Partial<FileRoute> = {}): FileRoute => ({
  ...options,
  kind: 'file',
  path,
});

export const folder = (path: string): FolderRoute => ({ kind: 'folder', path });

/** `index.m3u8` with a window that slides in real time, and its `seg<n>.ts`; key ends in `/`. */
export const hlsLive = (source: LoopedTs, options: Partial<HlsLiveRoute> = {}): HlsLiveRoute => ({
  segmentMs: 1000,
  window: 5,
  encrypted: false,
  ...options,
  kind: 'hls-live',
  source,
});

export const text = (
  body: string | Buffer,
  contentType = 'text/plain',
  options: Partial<TextRoute> = {},
): TextRoute => ({
  status: 200,
  ...options,
  headers: { 'content-type': contentType, ...options.headers },
  kind: 'text',
  body,
});

export const redirect = (to: string, status = 302): RedirectRoute => ({
  kind: 'redirect',
  to,
  status,
});

/** For callbacks: decides by the request, whose body has been read. */
export const answer = (call: AnswerRoute['call']): AnswerRoute => ({ kind: 'answer', call });
