import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { Changes, type Look } from '../../scripts/faultd.d/provider/changes.ts';

const MOST_BYTES = 256 * 1024 * 1024;

/** How a response ended: as it should, cut off, or because the viewer left. */
export type Ending = 'clean' | 'broken' | 'left';

export type WatchOptions = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A player that keeps what it gets and can be asked about it at any time. */
export class Viewer implements AsyncDisposable {
  readonly #request: ClientRequest;
  readonly #parts: Buffer[] = [];
  readonly #changes = new Changes();
  #response: IncomingMessage | undefined;
  #size = 0;
  #ending: Ending | undefined;
  #lastAtMs: number | undefined;
  #largestGapMs = 0;

  constructor(url: string, { method = 'GET', headers = {} }: WatchOptions = {}) {
    this.#request = request(url, { method, headers, agent: false }, (response) => {
      this.#response = response;
      this.#changes.tell();
      response.on('data', (part: Buffer) => this.#take(part));
      response.on('end', () => this.#end('clean'));
      response.on('error', () => this.#end('broken'));
      response.on('close', () => this.#end('broken'));
    });
    this.#request.on('error', () => this.#end('broken'));
    this.#request.end();
  }

  get status(): number | undefined {
    return this.#response?.statusCode;
  }

  get headers(): IncomingMessage['headers'] {
    return this.#response?.headers ?? {};
  }

  get bytes(): number {
    return this.#size;
  }

  /** The longest time from one byte to the next. */
  get largestGapMs(): number {
    return this.#largestGapMs;
  }

  get ending(): Ending | undefined {
    return this.#ending;
  }

  body(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** Stops reading, so that the sender finds the socket full. */
  pause(): void {
    this.#response?.pause();
  }

  resume(): void {
    this.#response?.resume();
  }

  leave(): void {
    this.#end('left');
    this.#request.destroy();
  }

  /** The response's head has come. */
  async started(deadlineMs = 10_000): Promise<this> {
    await this.until(() => this.#response !== undefined || this.#ending !== undefined, deadlineMs);
    return this;
  }

  /** So many bytes have come. */
  async reached(bytes: number, deadlineMs = 10_000): Promise<this> {
    await this.until(() => this.#size >= bytes, deadlineMs);
    return this;
  }

  /** So many more bytes have come than now. */
  more(bytes: number, deadlineMs?: number): Promise<this> {
    return this.reached(this.#size + bytes, deadlineMs);
  }

  async ended(deadlineMs = 10_000): Promise<Ending> {
    await this.until(() => this.#ending !== undefined, deadlineMs);
    return this.#ending ?? 'left';
  }

  until(condition: () => boolean, deadlineMs: number): Promise<void> {
    const look = (): Look => {
      if (condition()) return true;
      return this.#ending === undefined ? undefined : this.#tooLate(condition);
    };
    return this.#changes.until(look, deadlineMs, () => this.#tooLate(condition));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.leave();
  }

  #tooLate(condition: () => boolean): Error {
    const state = `status ${this.status}, ${this.#size} bytes, ${this.#ending ?? 'open'}`;
    return new Error(`The viewer did not see ${String(condition)}: ${state}.`);
  }

  #take(part: Buffer): void {
    if (this.#size > MOST_BYTES) return this.leave();
    const nowMs = performance.now();
    this.#largestGapMs = Math.max(this.#largestGapMs, nowMs - (this.#lastAtMs ?? nowMs));
    this.#lastAtMs = nowMs;
    this.#parts.push(part);
    this.#size += part.length;
    this.#changes.tell();
  }

  #end(ending: Ending): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    this.#changes.tell();
  }
}

export const watch = (url: string, options?: WatchOptions): Viewer => new Viewer(url, options);

/** One request on a connection of its own, its body read whole. */
export async function fetchOnce(url: string, options?: WatchOptions): Promise<Viewer> {
  const viewer = new Viewer(url, options);
  await viewer.ended(20_000);
  return viewer;
}
