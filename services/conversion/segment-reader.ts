import { createDecipheriv } from 'node:crypto';
import type { Decipheriv } from 'node:crypto';
import { MediaError, UpstreamError } from '#kernel/app-error';
import type { Timers } from '#kernel/clock';
import { ivOfSequence } from '#hls';
import type { MediaKey, MediaResource } from '#hls';
import type { UpstreamClient, UpstreamResponse, UpstreamTimeouts } from '#upstream';
import { readBody } from './read-body.ts';
import type { BodyReading, TakeBytes } from './read-body.ts';
import { SpanTaker } from './span-taker.ts';

/** A segment or an init section. */
export type SegmentToRead = MediaResource & {
  readonly key: MediaKey | undefined;
  readonly sequence: number;
};

export type SegmentReaderOptions = {
  readonly upstream: UpstreamClient;
  /** What is sent to an address. */
  readonly headersFor: (url: string) => Readonly<Record<string, string>>;
  readonly timeouts: UpstreamTimeouts;
  /** A body that is silent for this long has stalled. */
  readonly stallMs: () => number;
  readonly timers: Timers;
  /**
   * Resources are handed on when they have come whole: a reader that waits must not keep a
   * connection open that another track of the same source needs.
   */
  readonly isWhole?: boolean;
};

const KEY_BYTES = 16;

/** Reads resources of a playlist one after the other: one connection at a time, nothing kept. */
export class SegmentReader {
  readonly #options: SegmentReaderOptions;
  #key: { readonly url: string; readonly bytes: Buffer } | undefined;

  constructor(options: SegmentReaderOptions) {
    this.#options = options;
  }

  /**
   * Hands a resource on while it arrives, decrypted. When it breaks off, the rest is asked for
   * once, from the very next byte.
   * @throws UpstreamError, MediaError: it could not be had whole; a part may have been handed on.
   */
  async read(segment: SegmentToRead, take: TakeBytes, signal: AbortSignal): Promise<void> {
    const decipher = await this.#decipherOf(segment, signal);
    const taker = new SpanTaker(segment.span);
    const clear: TakeBytes = decipher ? (bytes) => take(decipher.update(bytes)) : take;
    const kept: Buffer[] = [];
    const keep = (bytes: Buffer): undefined => void kept.push(Buffer.from(bytes));
    const handOn = this.#options.isWhole ? keep : clear;
    const pour = (): Promise<void> => this.#pour(segment.url, { taker, take: handOn }, signal);
    await pour().catch((error: unknown) => {
      signal.throwIfAborted();
      if (error instanceof UpstreamError && error.code !== 'UPSTREAM_STATUS') return pour();
      throw error;
    });
    for (const bytes of kept) await clear(bytes);
    if (decipher) await take(lastOf(decipher));
  }

  async #pour(
    url: string,
    { taker, take }: { readonly taker: SpanTaker; readonly take: TakeBytes },
    signal: AbortSignal,
  ): Promise<void> {
    const response = await this.#open(url, taker.range, signal);
    taker.begin(response.status === 206);
    const handOn: TakeBytes = (bytes) => taker.take(bytes, take);
    await this.#read({ response, take: handOn, isDone: () => taker.isDone }, signal);
  }

  #read(
    reading: Pick<BodyReading, 'response' | 'take' | 'isDone'>,
    signal: AbortSignal,
  ): Promise<void> {
    const { timers, stallMs } = this.#options;
    return readBody({ ...reading, timers, stallMs: stallMs() }, signal);
  }

  async #open(
    url: string,
    range: string | undefined,
    signal: AbortSignal,
  ): Promise<UpstreamResponse> {
    const { upstream, timeouts, headersFor } = this.#options;
    const headers = { ...headersFor(url), ...(range === undefined ? {} : { Range: range }) };
    const request = { method: 'GET', url, headers, timeouts, use: 'segment' } as const;
    const response = await upstream.open(request, signal);
    if (response.status === 200 || response.status === 206) return response;
    response.close();
    throw new UpstreamError('UPSTREAM_STATUS', {
      message: `The source answered with status ${response.status}.`,
      details: { status: response.status, stage: 'segment' },
    });
  }

  async #decipherOf(
    { key, sequence }: SegmentToRead,
    signal: AbortSignal,
  ): Promise<Decipheriv | undefined> {
    if (key === undefined) return undefined;
    const bytes = await this.#keyAt(key.url, signal);
    return createDecipheriv('aes-128-cbc', bytes, key.iv ?? ivOfSequence(sequence));
  }

  async #keyAt(url: string, signal: AbortSignal): Promise<Buffer> {
    if (this.#key?.url === url) return this.#key.bytes;
    const parts: Buffer[] = [];
    let size = 0;
    const take = (bytes: Buffer): undefined => {
      size += bytes.length;
      if (size <= KEY_BYTES) parts.push(Buffer.from(bytes));
    };
    const response = await this.#open(url, undefined, signal);
    await this.#read({ response, take, isDone: () => size > KEY_BYTES }, signal);
    if (size !== KEY_BYTES) throw unreadable('The key of the source has a wrong length.');
    this.#key = { url, bytes: Buffer.concat(parts) };
    return this.#key.bytes;
  }
}

function lastOf(decipher: Decipheriv): Buffer {
  try {
    return decipher.final();
  } catch {
    // What does not end with padding was cut, or encrypted with another key.
    throw unreadable('The source is encrypted in another way than it says.');
  }
}

const unreadable = (message: string): MediaError =>
  new MediaError('UPSTREAM_WRONG_TYPE', { message, details: { stage: 'segment' } });
