import type { IncomingMessage } from 'node:http';
import { Decoder, type Decoded } from './decoder.ts';
import { GapMeter } from './gap-meter.ts';
import { MediaMeter } from './media-meter.ts';
import { NoAnswerError, openMedia } from './open-media.ts';
import { redactedUrl } from './redacted-url.ts';
import type { Report } from './report.ts';
import { watchHls } from './watch-hls.ts';
import type { WatchOptions } from './watch-options.ts';

/** A player's buffer is full at so many bytes, and then it does not read on. */
const MOST_WAITING_BYTES = 32 * 1024 * 1024;
const RESUME_LOOK_MS = 20;

/**
 * Plays one address like a player does, in real time, and measures what comes.
 * What goes wrong on the way is a result and no error.
 * @throws NoFfmpegError when it should decode and cannot.
 */
export async function watch(url: string, options: WatchOptions): Promise<Report> {
  if (new URL(url).pathname.endsWith('.m3u8')) return watchHls(url, options);
  const decoder = options.decode ? await Decoder.start() : undefined;
  const viewing = new Viewing(options, decoder);
  const isPlaylist = await viewing.play(url);
  const decoded = (await decoder?.end()) ?? null;
  return isPlaylist ? watchHls(url, options) : viewing.report(url, decoded);
}

class Viewing {
  readonly #options: WatchOptions;
  readonly #decoder: Decoder | undefined;
  readonly #startedAtMs = performance.now();
  readonly #timeIsUp: AbortSignal;
  readonly #gaps: GapMeter;
  readonly #media: MediaMeter;
  #response: IncomingMessage | undefined;
  #redirects = 0;
  #headersMs: number | undefined;
  #firstByteMs: number | undefined;
  #watchedMs = 0;
  #bytes = 0;
  #pausedMs = 0;
  #ended = 'time-up';

  constructor(options: WatchOptions, decoder: Decoder | undefined) {
    this.#options = options;
    this.#decoder = decoder;
    this.#timeIsUp = AbortSignal.timeout(options.seconds * 1000);
    this.#gaps = new GapMeter(options.gapThresholdMs);
    this.#media = new MediaMeter(decoder);
  }

  /** True when the answer is a playlist, which is not ours to read. */
  async play(url: string): Promise<boolean> {
    try {
      const { headers, isInsecure } = this.#options;
      const opened = await openMedia(url, { headers, isInsecure, signal: this.#timeIsUp });
      this.#response = opened.response;
      this.#redirects = opened.redirects;
      this.#headersMs = this.#nowMs;
      if (/mpegurl/i.test(opened.response.headers['content-type'] ?? '')) {
        opened.response.destroy();
        return true;
      }
      await this.#read(opened.response);
    } catch (error) {
      this.#ended = this.#wordFor(error);
    }
    this.#finish();
    return false;
  }

  report(url: string, decode: Decoded | null): Report {
    return {
      url: redactedUrl(url),
      status: this.#response?.statusCode ?? null,
      content_type: this.#response?.headers['content-type'] ?? null,
      redirects: this.#redirects,
      ended: this.#ended,
      watched_ms: Math.round(this.#watchedMs),
      headers_ms: rounded(this.#headersMs),
      first_byte_ms: rounded(this.#firstByteMs),
      bytes: this.#bytes,
      mbit_per_second: Math.round((this.#bytes * 8) / Math.max(1, this.#watchedMs) / 10) / 100,
      paused_ms: Math.round(this.#pausedMs),
      gaps: this.#gaps.report,
      ts: this.#media.report,
      // Of nothing, ffmpeg only says that it is nothing.
      decode: this.#bytes === 0 ? null : decode,
    };
  }

  get #nowMs(): number {
    return performance.now() - this.#startedAtMs;
  }

  async #read(response: IncomingMessage): Promise<void> {
    let isReset = false;
    // Where the closing of the connection ends a body, Node.js takes a reset for its end.
    response.socket.once('error', () => {
      isReset = true;
    });
    for await (const chunk of response as AsyncIterable<Buffer>) {
      const nowMs = this.#nowMs;
      this.#firstByteMs ??= nowMs;
      this.#bytes += chunk.length;
      this.#gaps.see(nowMs);
      this.#media.see(chunk, nowMs);
      await this.#whileFull();
    }
    // Leaving a body that ends with its connection looks like its end.
    if (!this.#timeIsUp.aborted) this.#ended = isReset ? 'broken-off' : 'eof';
  }

  /** A wait that is our own is no gap of the stream. */
  async #whileFull(): Promise<void> {
    const sinceMs = this.#nowMs;
    while ((this.#decoder?.waitingBytes ?? 0) > MOST_WAITING_BYTES && !this.#timeIsUp.aborted) {
      await new Promise((resolve) => setTimeout(resolve, RESUME_LOOK_MS));
    }
    if (this.#nowMs - sinceMs < RESUME_LOOK_MS) return;
    this.#pausedMs += this.#nowMs - sinceMs;
    this.#gaps.resume(this.#nowMs);
  }

  #finish(): void {
    this.#watchedMs = this.#nowMs;
    const isCut = this.#ended === 'time-up';
    // Silence after a clean end is no gap; silence until we leave is.
    if (isCut) this.#gaps.end(this.#watchedMs);
    this.#media.end(this.#watchedMs, isCut);
  }

  #wordFor(error: unknown): string {
    if (this.#timeIsUp.aborted) return this.#response ? 'time-up' : 'no-answer';
    if (error instanceof NoAnswerError) return error.reason;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'broken';
    return code === 'ECONNRESET' && this.#response?.complete === false ? 'broken-off' : code;
  }
}

const rounded = (ms: number | undefined): number | null =>
  ms === undefined ? null : Math.round(ms * 10) / 10;
