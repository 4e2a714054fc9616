import type { ServerResponse } from 'node:http';
import type { LiveTap, VodBody, VodResponse } from '#delivery';
import { InvalidInputError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import { asClientId } from '#kernel/ids';
import { orAbort } from '#kernel/or-abort';
import type { Stream, ViewerConnection } from '#streams';
import { sinkOf } from './response-sink.ts';

/** The media that a run is made of: a stream's own sources, through all their failures. */
export interface RunSource {
  /** It comes faster than it plays. */
  readonly isPaced: boolean;
  /** Bytes that have been sent. */
  readonly sentBytes: number;
  /** Resolves when the sources are used up. */
  readonly failed: Promise<AppError>;
  /** Sends media until it ends, or `close`. To be called once; never rejects. */
  send(response: ServerResponse): Promise<void>;
  /** Closes the upstream at once. Idempotent. */
  close(): void;
}

export type RunSources = {
  /** Opens the feed of a stream. */
  readonly tap: (stream: Stream) => LiveTap;
  readonly openFile: (stream: Stream, gone: AbortSignal) => Promise<VodResponse | 'playlist'>;
  /** Playlists are read as transport streams. */
  readonly readsPlaylists: () => boolean;
};

/**
 * Opens a stream's media; resolves when the first of it has come.
 * @throws AppError when no source gave any, `TRANSCODE_UNSUPPORTED`; the signal's reason.
 */
export async function openRunSource(
  sources: RunSources,
  stream: Stream,
  signal: AbortSignal,
): Promise<RunSource> {
  if (stream.kind !== 'vod') {
    const found = await openFeed(sources, stream, signal);
    if (found !== undefined) return found;
  }
  if (stream.kind !== 'vod')
    throw unsupported('The source is a playlist, which cannot be read here.');
  return openFile(sources, stream, signal);
}

/** Undefined when the source proves to be no live media; the stream has learnt what it is. */
async function openFeed(
  sources: RunSources,
  stream: Stream,
  signal: AbortSignal,
): Promise<RunSource | undefined> {
  if (stream.kind === 'hls' && !sources.readsPlaylists()) return undefined;
  const tap = sources.tap(stream);
  try {
    const start = await orAbort(tap.started, signal);
    if (start.kind === 'live') return new FeedSource(tap);
    stream.learnKind(start.kind);
  } catch (error) {
    tap.release();
    throw error;
  }
  tap.release();
  return undefined;
}

class FeedSource implements RunSource {
  readonly isPaced = false;
  readonly failed: Promise<AppError>;
  readonly #tap: LiveTap;
  #response: ServerResponse | undefined;
  #sentBytes = 0;

  constructor(tap: LiveTap) {
    this.#tap = tap;
    this.failed = new Promise((resolve) => {
      void tap.ended.then((failure) => failure !== undefined && resolve(failure));
    });
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  async send(response: ServerResponse): Promise<void> {
    this.#response = response;
    response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
    response.flushHeaders();
    const sent = (bytes: number): void => {
      this.#sentBytes += bytes;
    };
    this.#tap.attach(sinkOf(response, sent));
    await this.#tap.ended;
    response.end();
  }

  close(): void {
    this.#tap.release();
    this.#response?.destroy();
  }
}

async function openFile(
  { openFile: open }: RunSources,
  stream: Stream,
  signal: AbortSignal,
): Promise<RunSource> {
  const leaving = new AbortController();
  const gone = AbortSignal.any([signal, leaving.signal]);
  const answer = await open(unwatched(stream), gone);
  if (answer === 'playlist' || answer.body === undefined) {
    leaving.abort();
    throw unsupported('The source is no file that can be read from its beginning.');
  }
  return new FileSource(answer.body, leaving);
}

class FileSource implements RunSource {
  readonly isPaced = true;
  readonly #failure = Promise.withResolvers<AppError>();
  readonly #body: VodBody;
  readonly #leaving: AbortController;
  #response: ServerResponse | undefined;

  constructor(body: VodBody, leaving: AbortController) {
    this.#body = body;
    this.#leaving = leaving;
  }

  get sentBytes(): number {
    return this.#response?.socket?.bytesWritten ?? 0;
  }

  get failed(): Promise<AppError> {
    return this.#failure.promise;
  }

  async send(response: ServerResponse): Promise<void> {
    this.#response = response;
    response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
    await this.#body.pipeTo(response);
  }

  close(): void {
    this.#leaving.abort();
    this.#response?.destroy();
  }
}

/** The same stream for a reader that is no viewer: it neither begins nor ends a session. */
function unwatched(stream: Stream): Stream {
  const nobody: ViewerConnection = {
    clientId: asClientId('transcode'),
    ended: stream.removed,
    served: () => {},
    segmentServed: () => {},
    close: () => {},
  };
  return {
    id: stream.id,
    kind: stream.kind,
    sharing: stream.sharing,
    options: stream.options,
    transcode: stream.transcode,
    hasOtherSource: stream.hasOtherSource,
    removed: stream.removed,
    walk: (reader) => stream.walk(reader),
    join: () => nobody,
    poll: () => nobody,
    learnKind: (kind, url) => stream.learnKind(kind, url),
    fellBack: (fallback) => stream.fellBack(fallback),
    lookAtMedia: () => stream.lookAtMedia(),
  };
}

const unsupported = (message: string): InvalidInputError =>
  new InvalidInputError('TRANSCODE_UNSUPPORTED', { message });
