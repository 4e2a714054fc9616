import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { UpstreamError, toAppError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import { sleep, systemTimers } from '#kernel/clock';
import type { MediaSource } from '#networks';
import type { UpstreamClient, UpstreamRequest } from '#upstream';
import type { MediaDoor } from './media-door.ts';

export type FileSourceOptions = {
  readonly client: UpstreamClient;
  readonly door: MediaDoor;
  /** Without a range. */
  readonly request: UpstreamRequest;
  /** Where the media begins in the resource. */
  readonly offset: number;
  readonly sizeBytes: number;
};

/** How long a source that broke off in the middle is asked for the rest. */
const RETRY_FOR_MS = 10_000;
const RETRY_PAUSE_MS = 500;

/**
 * A file that FFmpeg reads from any place, through our door: each of its requests becomes one at
 * the source, one at a time. What breaks off is gone on with at the right byte.
 */
export class FileSource implements MediaSource {
  readonly kind = 'file';
  readonly #options: FileSourceOptions;
  readonly #served: ReturnType<MediaDoor['serve']>;
  readonly #closed = new AbortController();
  #reading: AbortController | undefined;
  #failure: AppError | undefined;

  constructor(options: FileSourceOptions) {
    this.#options = options;
    this.#served = options.door.serve((request, response) => void this.#serve(request, response));
  }

  get failure(): AppError | undefined {
    return this.#failure;
  }

  /** One line is the whole script. */
  async feed(input: Writable): Promise<void> {
    input.end(`${this.#served.url}\n`);
    if (!input.closed) await once(input, 'close').catch(() => {});
  }

  close(): void {
    this.#served.close();
    this.#closed.abort();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { sizeBytes } = this.#options;
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    // A provider that allows one connection must not see two.
    this.#reading?.abort();
    const reading = new AbortController();
    this.#reading = reading;
    const signal = AbortSignal.any([reading.signal, this.#closed.signal]);
    response.on('error', () => {});
    response.once('close', () => reading.abort());
    if (start >= sizeBytes) {
      response.writeHead(416, { 'Content-Range': `bytes */${sizeBytes}` }).end();
      return;
    }
    response.writeHead(request.headers.range === undefined ? 200 : 206, {
      'Accept-Ranges': 'bytes',
      'Content-Length': sizeBytes - start,
      'Content-Range': `bytes ${start}-${sizeBytes - 1}/${sizeBytes}`,
      Connection: 'close',
    });
    response.flushHeaders();
    try {
      await this.#pour(start, response, signal);
      response.end();
    } catch (error) {
      if (!signal.aborted)
        this.#failure = toAppError(error instanceof Broken ? error.cause : error);
      response.destroy();
    }
  }

  /** Until everything is there; what breaks off is asked for anew while that brings something. */
  async #pour(start: number, response: ServerResponse, signal: AbortSignal): Promise<void> {
    let at = start;
    let stuckSinceMs: number | undefined;
    while (at < this.#options.sizeBytes) {
      const before = at;
      try {
        at = await this.#pourFrom(at, response, signal);
        if (at >= this.#options.sizeBytes) return;
        throw brokeOff();
      } catch (error) {
        if (signal.aborted) throw error;
        const known = error instanceof Broken ? error.at : at;
        if (known > before) stuckSinceMs = undefined;
        at = known;
        stuckSinceMs ??= performance.now();
        if (performance.now() - stuckSinceMs > RETRY_FOR_MS) throw error;
        await sleep(systemTimers, RETRY_PAUSE_MS, signal);
      }
    }
  }

  async #pourFrom(at: number, response: ServerResponse, signal: AbortSignal): Promise<number> {
    const { client, request, offset } = this.#options;
    const headers = { ...request.headers, Range: `bytes=${offset + at}-` };
    const body = await client.open({ ...request, headers }, signal);
    if (body.status !== 206) {
      body.close();
      throw unreadable(body.status);
    }
    let sent = at;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const leave = (): void => {
      body.close();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', leave, { once: true });
    body.read({
      chunk: (bytes) => {
        sent += bytes.length;
        response.write(bytes, () => body.resume());
        return false;
      },
      end: () => resolve(sent),
      fail: (error) => reject(new Broken(sent, error)),
    });
    return promise.finally(() => signal.removeEventListener('abort', leave));
  }
}

/** With how far it came. */
class Broken extends Error {
  readonly at: number;

  constructor(at: number, cause: AppError) {
    super('The source broke off.', { cause });
    this.at = at;
  }
}

const brokeOff = (): AppError =>
  new UpstreamError('UPSTREAM_TRUNCATED', { message: 'The source ended before its file did.' });

const unreadable = (status: number): AppError =>
  new UpstreamError('UPSTREAM_STATUS', {
    message: `The source answered with status ${status} in the middle of its file.`,
    details: { status },
  });
