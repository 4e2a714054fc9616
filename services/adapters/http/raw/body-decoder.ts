import { UpstreamError } from '#kernel/app-error';
import { ChunkedDecoder } from './chunked-decoder.ts';
import type { ResponseHead } from './response-head.ts';

/** Takes a body out of its framing (RFC 9112 §6). */
export interface BodyDecoder {
  /**
   * The payload among these bytes, in their own memory, which may have been moved together.
   * Bytes after the end of the body are left out, and so are those after a break.
   */
  decode(bytes: Buffer): Buffer;
  /** The framing says that the body is complete. */
  readonly isDone: boolean;
  /** Bytes came behind the end of the body: nobody can tell whose they are. */
  readonly hasExtra: boolean;
  /** The framing contradicts itself: what comes from here on cannot be told apart. */
  readonly isBroken: boolean;
  /** A closed connection is how this body ends. */
  readonly endsByClose: boolean;
}

/**
 * The decoder for an answer's body.
 * @throws UpstreamError `UPSTREAM_PROTOCOL` when the head contradicts itself.
 */
export function decoderFor(method: 'GET' | 'HEAD', { status, headers }: ResponseHead): BodyDecoder {
  if (method === 'HEAD' || status === 204 || status === 304) return new LengthDecoder(0);
  const coding = headers.get('transfer-encoding')?.toLowerCase();
  if (coding === 'chunked') return new ChunkedDecoder();
  if (coding !== undefined && coding !== 'identity') throw contradiction();
  const length = headers.get('content-length');
  return length === undefined ? new CloseDecoder() : new LengthDecoder(lengthOf(length));
}

/** A length that was sent twice is one length if both say the same. */
function lengthOf(value: string): number {
  const [length = '', ...others] = new Set(value.split(',').map((one) => one.trim()));
  const bytes = Number(length);
  if (others.length > 0 || !/^\d+$/.test(length) || !Number.isSafeInteger(bytes)) {
    throw contradiction();
  }
  return bytes;
}

const contradiction = (): UpstreamError =>
  new UpstreamError('UPSTREAM_PROTOCOL', {
    message: 'The provider does not say where its answer ends.',
  });

class LengthDecoder implements BodyDecoder {
  readonly isBroken = false;
  readonly endsByClose = false;
  hasExtra = false;
  #left: number;

  constructor(lengthBytes: number) {
    this.#left = lengthBytes;
  }

  get isDone(): boolean {
    return this.#left === 0;
  }

  decode(bytes: Buffer): Buffer {
    const payload = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes;
    this.#left -= payload.length;
    this.hasExtra = payload.length < bytes.length;
    return payload;
  }
}

class CloseDecoder implements BodyDecoder {
  readonly endsByClose = true;
  readonly isBroken = false;
  readonly isDone = false;
  readonly hasExtra = false;

  decode(bytes: Buffer): Buffer {
    return bytes;
  }
}
