import { isPlaylist } from '#hls';
import { toAppError, UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { Clock, Timers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import type { Source, SourceWalk, Stream } from '#streams';
import { headersWithout } from '#upstream';
import type { UpstreamClient, UpstreamResponse, UpstreamTimeouts } from '#upstream';
import { type ByteRange, formatRange } from '#kernel/byte-range';
import {
  type FileAnswer,
  isPlaylistFound,
  notMedia,
  playlistFound,
  readAnswer,
} from './file-answer.ts';
import type { FilePacing } from './file-outlet.ts';
import { FileReader } from './file-reader.ts';
import { looksLikeMedia } from './media-type.ts';

export type VodOptions = {
  readonly upstream: UpstreamClient;
  readonly timeouts: UpstreamTimeouts;
  /** How long a source may be silent within a file while its bytes are waited for. */
  readonly readTimeoutMs: number;
  /** Throttle and buffer; neither, when absent. */
  readonly pacing?: FilePacing;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
};

/** An answer whose head has been judged; its owner reads or closes it. */
export type OpenAnswer = { readonly response: UpstreamResponse; readonly answer: FileAnswer };

/** An answer whose first bytes have come; its owner closes the reader. */
export type OpenFile = { readonly answer: FileAnswer; readonly reader: FileReader };

/** One viewer's way to the bytes of a file, through the sources of its stream. */
export class FileSources {
  readonly #options: VodOptions;
  readonly #stream: Stream;
  readonly #walk: SourceWalk;
  readonly #signal: AbortSignal;
  #source: Source;
  #hasFlowed = false;

  /** @param signal - Ends whatever is under way, with a rejection. */
  constructor(options: VodOptions, stream: Stream, signal: AbortSignal) {
    this.#options = options;
    this.#stream = stream;
    this.#signal = signal;
    this.#walk = stream.walk();
    this.#source = this.#walk.current;
  }

  /**
   * Makes attempts, source after source, until one succeeds.
   *
   * @param failure - Of the source in use, when this is about going on after it.
   * @throws AppError when the stream's policy gives up, and, before any media has come, when a
   *   source gives a playlist; the signal's reason when it aborts.
   */
  async firstThatGives<T>(attempt: (source: Source) => Promise<T>, failure?: AppError): Promise<T> {
    if (failure !== undefined) await this.#moveOn(failure);
    for (;;) {
      this.#signal.throwIfAborted();
      try {
        return await attempt(this.#source);
      } catch (error) {
        this.#signal.throwIfAborted();
        const met = toAppError(error);
        if (!this.#hasFlowed && isPlaylistFound(met)) throw met;
        await this.#moveOn(met);
      }
    }
  }

  /** Calls when an app moves the stream to another source; returns how to stop listening. */
  onMoved(listener: (source: Source) => void): () => void {
    return this.#walk.onMoved(listener);
  }

  /** The next attempt is made at the source that the stream is at now. */
  follow(): void {
    this.#source = this.#walk.current;
  }

  /** Bytes of media come from the source in use. */
  flowing(): void {
    this.#hasFlowed = true;
    this.#walk.flowing();
  }

  /** @throws AppError as {@link UpstreamClient.open} and {@link readAnswer}. */
  async ask(source: Source, method: 'GET' | 'HEAD', range?: ByteRange): Promise<OpenAnswer> {
    const { upstream, timeouts } = this.#options;
    const { url } = source;
    const headers = { ...withoutRange(source.headers), ...rangeHeader(range) };
    const response = await upstream.open({ method, url, headers, timeouts }, this.#signal);
    try {
      return { response, answer: readAnswer(response, range ?? WHOLE, url) };
    } catch (error) {
      response.close();
      throw error;
    }
  }

  /**
   * Waits for the first bytes of an answer.
   * @param skipBytes - Left out at the beginning.
   */
  async begin({ response, answer }: OpenAnswer, skipBytes = 0): Promise<OpenFile> {
    const { readTimeoutMs, clock, timers } = this.#options;
    const reader = new FileReader({ response, skipBytes, readTimeoutMs, clock, timers });
    const leave = (): void => reader.fail(left());
    this.#signal.addEventListener('abort', leave, { once: true });
    try {
      if (this.#signal.aborted) leave();
      const bytes = await reader.started;
      const isMedia = answer.first + skipBytes > 0 || looksLikeMedia(declaredOf(response), bytes);
      if (isPlaylistText(bytes)) throw playlistFound();
      if (!isMedia) throw notMedia();
      return { answer, reader };
    } catch (error) {
      reader.close();
      throw error;
    } finally {
      this.#signal.removeEventListener('abort', leave);
    }
  }

  async #moveOn(failure: AppError): Promise<void> {
    if (failure.code === 'INTERNAL') throw failure; // Ours, not the source's.
    this.#options.logger.info('source failed', {
      streamId: this.#stream.id,
      index: this.#source.index,
      code: failure.code,
      ...failure.details,
    });
    this.#source = await this.#walk.failed(this.#source, failure, this.#signal);
  }
}

export const WHOLE: ByteRange = { kind: 'from', first: 0 };

const rangeHeader = (range: ByteRange | undefined): Record<string, string> =>
  range === undefined ? {} : { Range: formatRange(range) };

/** A range among the stream's own headers would be taken for the player's. */
const withoutRange = (headers: Source['headers']): Source['headers'] =>
  headersWithout(headers, (name) => /^(?:range|if-range)$/i.test(name));

const declaredOf = ({ headers }: UpstreamResponse): string | undefined =>
  headers.get('content-type');

const left = (): UpstreamError => new UpstreamError('UPSTREAM_RESET', { message: 'Nobody waits.' });

const isPlaylistText = (bytes: Buffer): boolean =>
  isPlaylist(bytes.subarray(0, 16).toString('utf8'));
