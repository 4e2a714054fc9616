import { UpstreamError } from '#kernel/app-error';

const LF = 0x0a;
/** Bounds one size line with its extensions, and all trailers together. */
const MAX_LINE_BYTES = 16 * 1024;

type Part = 'size' | 'data' | 'gap' | 'trailers' | 'done';

/**
 * Takes the chunked coding off (RFC 9112 §7.1). Payload is moved together within the memory it
 * came in, so that one read stays one write however small the provider's chunks are.
 */
export class ChunkedDecoder {
  readonly endsByClose = false;
  #part: Part = 'size';
  #left = 0;
  #line = '';
  #trailerBytes = 0;

  get isDone(): boolean {
    return this.#part === 'done';
  }

  decode(bytes: Buffer): Buffer {
    let from = 0;
    let to = 0;
    let at = 0;
    while (at < bytes.length && this.#part !== 'done') {
      if (this.#part !== 'data') {
        at = this.#readLine(bytes, at);
        continue;
      }
      const end = Math.min(at + this.#left, bytes.length);
      if (from === to) from = to = at;
      if (at !== to) bytes.copyWithin(to, at, end);
      to += end - at;
      this.#took(end - at);
      at = end;
    }
    return bytes.subarray(from, to);
  }

  #took(count: number): void {
    this.#left -= count;
    if (this.#left === 0) this.#part = 'gap';
  }

  /** Reads up to the end of the current line, or of the bytes; returns where to go on. */
  #readLine(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(LF, at);
    const upTo = end === -1 ? bytes.length : end;
    if (this.#line.length + upTo - at > MAX_LINE_BYTES) throw broken();
    this.#line += bytes.toString('latin1', at, upTo);
    if (end === -1) return bytes.length;
    const line = this.#line.trim();
    this.#line = '';
    this.#lineDone(line);
    return end + 1;
  }

  #lineDone(line: string): void {
    if (this.#part === 'size') return this.#sizeRead(line);
    if (this.#part === 'trailers') return this.#trailerRead(line);
    if (line !== '') throw broken();
    this.#part = 'size';
  }

  #sizeRead(line: string): void {
    const digits = /^([\da-f]{1,13})(?:\s*;.*)?$/i.exec(line)?.[1];
    if (digits === undefined) throw broken();
    this.#left = Number.parseInt(digits, 16);
    this.#part = this.#left === 0 ? 'trailers' : 'data';
  }

  #trailerRead(line: string): void {
    this.#trailerBytes += line.length;
    if (this.#trailerBytes > MAX_LINE_BYTES) throw broken();
    if (line === '') this.#part = 'done';
  }
}

const broken = (): UpstreamError =>
  new UpstreamError('UPSTREAM_TRUNCATED', {
    message: "The provider's answer broke off between two chunks.",
  });
