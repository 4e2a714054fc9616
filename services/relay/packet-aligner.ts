/** ISO/IEC 13818-1 §2.4.3.2: a transport packet has 188 bytes and begins with 0x47. */
export const PACKET_BYTES = 188;
const SYNC = 0x47;

/**
 * Cuts one source's bytes at packet boundaries, so that where a source is left and another begins
 * no viewer gets half a packet. What is not MPEG-TS passes as it is. One per source.
 *
 * Whole packets pass without a copy; only a packet that two chunks share is put together.
 */
export class PacketAligner {
  readonly #partial = Buffer.allocUnsafe(PACKET_BYTES);
  #partialBytes = 0;
  #isTransportStream: boolean | undefined;

  /** Whether the source is MPEG-TS; undefined before its first bytes. */
  get isTransportStream(): boolean | undefined {
    return this.#isTransportStream;
  }

  /** The whole packets in what has come; parts may be lent memory of `chunk`. */
  align(chunk: Buffer): readonly Buffer[] {
    if (this.#isTransportStream === undefined) return this.#begin(chunk);
    if (!this.#isTransportStream) return [chunk];
    return this.#cut(chunk);
  }

  #begin(chunk: Buffer): readonly Buffer[] {
    const start = syncOffset(chunk);
    this.#isTransportStream = start !== undefined;
    return start === undefined ? [chunk] : this.#cut(chunk.subarray(start));
  }

  #cut(chunk: Buffer): readonly Buffer[] {
    const missing = this.#partialBytes === 0 ? 0 : PACKET_BYTES - this.#partialBytes;
    if (chunk.length < missing) {
      this.#keep(chunk);
      return [];
    }
    const shared = missing === 0 ? [] : [this.#complete(chunk.subarray(0, missing))];
    const wholeBytes = chunk.length - ((chunk.length - missing) % PACKET_BYTES);
    this.#keep(chunk.subarray(wholeBytes));
    return wholeBytes === missing ? shared : [...shared, chunk.subarray(missing, wholeBytes)];
  }

  #keep(rest: Buffer): void {
    rest.copy(this.#partial, this.#partialBytes);
    this.#partialBytes += rest.length;
  }

  #complete(rest: Buffer): Buffer {
    this.#keep(rest);
    this.#partialBytes = 0;
    return Buffer.from(this.#partial);
  }
}

/** Where the first packet begins; undefined when these bytes are not MPEG-TS. */
export function syncOffset(bytes: Buffer): number | undefined {
  const furthest = Math.min(PACKET_BYTES, bytes.length);
  for (let at = 0; at < furthest; at += 1) {
    if (bytes[at] === SYNC && isSyncedFrom(bytes, at)) return at;
  }
  return undefined;
}

const PACKETS_TO_TRUST = 3;

function isSyncedFrom(bytes: Buffer, start: number): boolean {
  const last = Math.min(bytes.length, start + PACKETS_TO_TRUST * PACKET_BYTES);
  // A lone sync byte proves nothing unless it is the very first.
  if (start > 0 && start + PACKET_BYTES >= bytes.length) return false;
  for (let at = start; at < last; at += PACKET_BYTES) if (bytes[at] !== SYNC) return false;
  return true;
}
