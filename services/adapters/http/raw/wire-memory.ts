import type { ReadBuffer, ReadBuffers } from './read-buffers.ts';

/** A TLS record holds at most this much plain text (RFC 8446 §5.1). */
const TLS_RECORD_BYTES = 16 * 1024;

/**
 * Where a socket's next read goes. TCP stops reading when it is told to; TLS hands on every
 * record that it has decrypted, also after a stop, so it gets a second buffer for the time that
 * the first is lent.
 */
export class WireMemory {
  readonly #buffer: ReadBuffer;
  readonly #isSecure: boolean;
  #reading: Buffer;
  #lent: Buffer | undefined;
  #second: Buffer | undefined;

  constructor(buffers: ReadBuffers, isSecure: boolean) {
    this.#buffer = buffers.lease();
    this.#isSecure = isSecure;
    this.#reading = this.#buffer.current;
  }

  /** Called by the socket after each read, and once before the first. */
  next(isPaused: boolean): Buffer {
    if (isPaused && this.#isSecure) this.#lent ??= this.#reading;
    this.#reading = this.#unlent();
    return this.#reading;
  }

  /** Nobody reads from what was lent any more. */
  returned(): void {
    this.#lent = undefined;
  }

  #unlent(): Buffer {
    if (this.#lent !== this.#buffer.current) return this.#buffer.current;
    return (this.#second ??= Buffer.allocUnsafeSlow(TLS_RECORD_BYTES));
  }

  /** The bytes of the read that has just come. */
  filled(count: number): Buffer {
    return this.#reading.subarray(0, count);
  }

  /** A read whose memory is free again. */
  used(count: number): void {
    if (!this.#isSecure) this.#buffer.used(count);
  }

  release(isLent: boolean): void {
    this.#buffer.release(isLent);
  }
}
