import { UpstreamError } from '#kernel/app-error';
import type { ErrorCode } from '#kernel/error-codes';
import type { Timer } from '#kernel/clock';
import type { BodySink, UpstreamClient, UpstreamRequest, UpstreamResponse } from '#upstream';
import type { TestClock } from './test-clock.ts';
import { simpleStream } from './ts-build.ts';

/** What a source does to who connects to it, and to who is connected. */
export type Condition = 'good' | 'refuses' | 'forbids' | 'hangs' | 'stalls' | 'ends';

export type Opening = { readonly url: string; readonly atMs: number };

const CHUNK_EVERY_MS = 500;
const HEAD_TIMEOUT_MS = 2000;
const FIRST_PTS_90K = 90_000;
/** Who asks more often without letting time pass is in a loop, and gets no answer any more. */
const MOST_AT_ONCE = 200;

/** Sources in a test's time: the port of the byte client, without a network. */
export class SimulatedSources implements UpstreamClient {
  readonly #clock: TestClock;
  readonly #conditions = new Map<string, Condition>();
  readonly #connections = new Set<Connection>();
  readonly #opening: string[] = [];
  readonly openings: Opening[] = [];
  /** Called at every request, before it is answered. */
  opened: (url: string) => void = () => {};
  /** Called when media has come from a connection, or it is over. */
  settled: (url: string) => void = () => {};

  constructor(clock: TestClock) {
    this.#clock = clock;
  }

  /** Connections that are open now or being opened. */
  get connected(): readonly string[] {
    return [...this.#opening, ...[...this.#connections].map(({ url }) => url)];
  }

  conditionOf(url: string): Condition {
    return this.#conditions.get(url) ?? 'good';
  }

  /** Changes what a source does; who is connected to it notices when there is reason to. */
  set(url: string, condition: Condition): void {
    this.#conditions.set(url, condition);
    if (condition === 'good' || condition === 'stalls' || condition === 'hangs') return;
    for (const connection of this.#connections) if (connection.url === url) connection.end();
  }

  async open(request: UpstreamRequest, signal: AbortSignal): Promise<UpstreamResponse> {
    const { url } = request;
    const atMs = this.#clock.nowMs();
    const isLoop = this.openings.at(-MOST_AT_ONCE)?.atMs === atMs;
    this.openings.push({ url, atMs });
    if (isLoop) return new Promise(() => {});
    this.#opening.push(url);
    this.opened(url);
    try {
      return await this.#answer(url, signal);
    } catch (error) {
      this.#isOpened(url);
      this.settled(url);
      throw error;
    }
  }

  async #answer(url: string, signal: AbortSignal): Promise<UpstreamResponse> {
    const condition = this.conditionOf(url);
    if (condition === 'refuses') throw failure('UPSTREAM_REFUSED');
    if (condition === 'hangs') await this.#hang(signal);
    const connection = new Connection({
      url,
      clock: this.#clock,
      status: condition === 'forbids' ? 403 : 200,
      isSilent: () => ['stalls', 'hangs'].includes(this.conditionOf(url)),
      isEnded: () => this.conditionOf(url) === 'ends',
      settled: () => this.settled(url),
      closed: () => this.#connections.delete(connection),
    });
    this.#isOpened(url);
    if (condition !== 'forbids') this.#connections.add(connection);
    return connection;
  }

  #isOpened(url: string): void {
    this.#opening.splice(this.#opening.indexOf(url), 1);
  }

  #hang(signal: AbortSignal): Promise<never> {
    return new Promise((_resolve, reject) => {
      const leave = (): void => {
        timer.cancel();
        reject(signal.reason);
      };
      const timer = this.#clock.after(HEAD_TIMEOUT_MS, () => {
        signal.removeEventListener('abort', leave);
        reject(failure('UPSTREAM_TIMEOUT'));
      });
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}

type ConnectionOptions = {
  readonly url: string;
  readonly clock: TestClock;
  readonly status: number;
  readonly isSilent: () => boolean;
  readonly isEnded: () => boolean;
  readonly settled: () => void;
  readonly closed: () => void;
};

class Connection implements UpstreamResponse {
  readonly headers = new Map<string, string>();
  readonly #options: ConnectionOptions;
  #sink: BodySink | undefined;
  #timer: Timer | undefined;
  #isPaused = false;
  #isOver = false;
  #sent = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get url(): string {
    return this.#options.url;
  }
  get finalUrl(): string {
    return this.#options.url;
  }
  get status(): number {
    return this.#options.status;
  }

  read(sink: BodySink): void {
    this.#sink = sink;
    this.#arm(10);
  }

  resume(): void {
    this.#isPaused = false;
  }

  end(): void {
    const sink = this.#sink;
    if (this.#isOver || sink === undefined) return;
    this.close();
    sink.end();
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    this.#options.closed();
    this.#options.settled();
  }

  #arm(delayMs: number): void {
    this.#timer = this.#options.clock.after(delayMs, () => this.#send());
  }

  #send(): void {
    const { isSilent, isEnded, settled } = this.#options;
    if (isEnded()) return this.end();
    this.#arm(CHUNK_EVERY_MS);
    if (isSilent() || this.#isPaused) return;
    this.#isPaused = this.#sink?.chunk(Buffer.from(mediaChunk(this.#sent))) === false;
    this.#sent += 1;
    settled();
  }
}

const made: Buffer[] = [];

/** The tables and half a second of pictures that begin with a keyframe: the same for everybody. */
const mediaChunk = (sequence: number): Buffer =>
  (made[sequence] ??= simpleStream({
    pictures: 4,
    gop: 4,
    firstPts90k: FIRST_PTS_90K + sequence * CHUNK_EVERY_MS * 90,
  }));

const failure = (code: ErrorCode): UpstreamError =>
  new UpstreamError(code, { message: 'The simulated source does not work.' });
