const LF = 0x0a;
/** Bounds one size line with its extensions, and all trailers together. */
const MAX_LINE_BYTES = 16 * 1024;

type Part = 'size' | 'data' | 'gap' | 'trailers' | 'done' | 'broken';

/**
 * Takes the chunked coding off (RFC 9112 §7.1). Payload is moved together within the memory it
 * came in, so that one read stays one write however small the provider's chunks are.
 */
export class ChunkedDecoder {
  readonly endsByClose = false;
  hasExtra = false;
  #part: Part = 'size';
  #left = 0;
  #line = '';
  #trailerBytes = 0;

  get isDone(): boolean {
    return this.#part === 'done';
  }

  get isBroken(): boolean {
    return this.#part === 'broken';
  }

  decode(bytes: Buffer): Buffer {
    let from = 0;
    let to = 0;
    let at = 0;
    while (at < bytes.length && !this.isDone && !this.isBroken) {
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
    this.hasExtra = at < bytes.length;
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
    if (this.#line.length + upTo - at > MAX_LINE_BYTES) return this.#break(bytes);
    this.#line += bytes.toString('latin1', at, upTo);
    if (end === -1) return bytes.length;
    const line = this.#line.trim();
    this.#line = '';
    this.#lineDone(line);
    return end + 1;
  }

  #lineDone(line: string): void {
    if (this.#part === 'size') this.#sizeRead(line);
    else if (this.#part === 'trailers') this.#trailerRead(line);
    else this.#part = line === '' ? 'size' : 'broken';
  }

  #sizeRead(line: string): void {
    const digits = /^([\da-f]{1,13})(?:\s*;.*)?$/i.exec(line)?.[1];
    this.#left = Number.parseInt(digits ?? '', 16);
    if (digits === undefined) this.#part = 'broken';
    else this.#part = this.#left === 0 ? 'trailers' : 'data';
  }

  #trailerRead(line: string): void {
    this.#trailerBytes += line.length;
    if (this.#trailerBytes > MAX_LINE_BYTES) this.#part = 'broken';
    else if (line === '') this.#part = 'done';
  }

  #break(bytes: Buffer): number {
    this.#part = 'broken';
    return bytes.length;
  }
}
