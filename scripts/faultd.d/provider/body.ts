import { once } from 'node:events';
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';
import type { Disturbance } from './disturbance.ts';
import type { ActiveFault, Cut } from './faults.ts';
import type { Ledger, Recorded } from './ledger.ts';

const RESET_DELAY_MS = 30;
/** A throttled body comes in so many pieces a second. */
const PIECES_PER_SECOND = 20;

/** A response body that keeps the books, waits for its reader, and breaks where it was told to. */
export class Body {
  readonly gone: AbortSignal;
  readonly record: Recorded;
  readonly #response: ServerResponse;
  readonly #ledger: Ledger;
  readonly #fault: ActiveFault | undefined;
  readonly #gone = new AbortController();
  #disturbances: readonly Disturbance[] = [];
  #stall: PromiseWithResolvers<void> | undefined;
  #promised: number | undefined;
  #cut: { readonly how: Cut; readonly afterBytes: number } | undefined;

  constructor(
    response: ServerResponse,
    record: Recorded,
    options: { readonly ledger: Ledger; readonly fault: ActiveFault | undefined },
  ) {
    this.#response = response;
    this.record = record;
    this.#ledger = options.ledger;
    this.#fault = options.fault;
    this.gone = this.#gone.signal;
    if (options.fault?.kind === 'cut') this.#cut = options.fault;
    response.on('error', () => this.#closed());
    response.on('close', () => this.#closed());
  }

  get disturbances(): readonly Disturbance[] {
    return this.#disturbances;
  }

  /** What is wrong from now on; called again whenever that changes. */
  disturb(disturbances: readonly Disturbance[]): void {
    this.#disturbances = disturbances;
    if (disturbances.some(({ kind }) => kind === 'stall')) {
      this.#stall ??= Promise.withResolvers();
    } else {
      this.#stall?.resolve();
      this.#stall = undefined;
    }
  }

  /** The end of the connection will be the end of the body: no length, no chunks. */
  delimitByClose(): void {
    this.#response.shouldKeepAlive = false;
    this.#response.useChunkedEncodingByDefault = false;
  }

  /** Sends the status and the headers, and what the fault puts before the body. */
  async head(status: number, headers: OutgoingHttpHeaders = {}): Promise<void> {
    this.record.status = status;
    const sent = this.#withLie(headers);
    const hasLength = sent['content-length'] !== undefined && this.record.method !== 'HEAD';
    if (hasLength) this.#promised = Number(sent['content-length']);
    this.#response.writeHead(status, sent);
    this.#response.flushHeaders();
    if (this.#fault?.kind === 'slow-body') await this.wait(this.#fault.ms);
    if (this.#fault?.kind === 'garbage-head') await this.write(randomBytes(this.#fault.bytes));
  }

  /** Resolves when more may be written; with false when there is no use in it. */
  async write(chunk: Buffer): Promise<boolean> {
    if (this.#bytesPerSecond !== undefined) return this.#trickle(chunk);
    return this.#write(chunk);
  }

  async end(chunk?: Buffer): Promise<void> {
    if (chunk && !(await this.write(chunk))) return;
    await this.#whileStalled();
    if (this.#cut?.how === 'stall' && this.#isDue()) return this.#untilGone();
    if (!this.gone.aborted) this.#finish('eof');
  }

  /** Breaks a response that is under way, now. */
  cut(how: Cut): void {
    this.#cut = { how, afterBytes: this.record.sentBytes };
    if (how !== 'stall' && !this.gone.aborted) this.#finish(how);
  }

  /** Waits, or until the other side has gone. */
  async wait(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.gone }).catch(() => {
      // The reader left while we waited: the next write says so.
    });
  }

  get #bytesPerSecond(): number | undefined {
    const rate = this.#disturbances.findLast(({ kind }) => kind === 'rate');
    if (rate?.kind === 'rate') return rate.bytesPerSecond;
    return this.#fault?.kind === 'trickle' ? this.#fault.bytesPerSecond : undefined;
  }

  async #whileStalled(): Promise<void> {
    if (!this.gone.aborted) await this.#stall?.promise;
  }

  async #write(chunk: Buffer): Promise<boolean> {
    await this.#whileStalled();
    const room = this.#cut === undefined ? Infinity : this.#cut.afterBytes - this.record.sentBytes;
    const part = chunk.length > room ? chunk.subarray(0, Math.max(0, room)) : chunk;
    if (part.length > 0) await this.#send(part);
    if (!this.#isDue()) return !this.gone.aborted;
    if (this.#cut?.how === 'stall') await this.#untilGone();
    else if (this.#cut) await this.#finishSoon(this.#cut.how);
    return false;
  }

  #isDue(): boolean {
    return this.#cut !== undefined && this.record.sentBytes >= this.#cut.afterBytes;
  }

  async #send(part: Buffer): Promise<void> {
    if (this.gone.aborted) return;
    const hasRoom = this.#response.write(part);
    this.#ledger.sent(this.record, part.length);
    if (!hasRoom) await once(this.#response, 'drain', { signal: this.gone }).catch(() => {});
  }

  /** The rest comes at once when the throttle is taken away. */
  async #trickle(chunk: Buffer): Promise<boolean> {
    for (let at = 0; at < chunk.length;) {
      const rate = this.#bytesPerSecond ?? Infinity;
      const step = Math.max(1, Math.floor(rate / PIECES_PER_SECOND));
      if (!(await this.#write(chunk.subarray(at, at + step)))) return false;
      at += step;
      if (step !== Infinity) await this.wait(1000 / PIECES_PER_SECOND);
    }
    return !this.gone.aborted;
  }

  /** A reset overtakes what the other side has not read yet, so that gets a moment. */
  async #finishSoon(how: Exclude<Cut, 'stall'>): Promise<void> {
    if (how === 'reset') await this.wait(RESET_DELAY_MS);
    if (!this.gone.aborted) this.#finish(how);
  }

  #finish(how: Exclude<Cut, 'stall'>): void {
    this.record.endedBy ??= 'provider';
    const { socket } = this.#response;
    // Where the length was wrong, only closing the connection ends the body.
    const isWhole = this.#promised === undefined || this.#promised === this.record.sentBytes;
    if (how === 'eof' && isWhole) this.#response.end();
    else if (how === 'reset') socket?.resetAndDestroy();
    else socket?.end(() => socket.destroy());
  }

  async #untilGone(): Promise<void> {
    if (!this.gone.aborted) await once(this.gone, 'abort');
  }

  #closed(): void {
    if (this.gone.aborted) return;
    this.#gone.abort();
    this.#stall?.resolve();
    this.#ledger.ended(this.record, this.#response.writableFinished ? 'provider' : 'client');
  }

  #withLie(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
    const length = headers['content-length'];
    if (this.#fault?.kind !== 'wrong-length' || length === undefined) return headers;
    return { ...headers, 'content-length': Number(length) + this.#fault.extraBytes };
  }
}
