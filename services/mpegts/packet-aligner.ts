import { PACKET_BYTES, SYNC } from './packet.ts';

/** So many sync bytes in a row, a packet apart, are no accident. */
const PACKETS_TO_TRUST = 3;
/** What has to be kept of bytes without sync, so that a packet that begins in them is found. */
const MAX_DOUBT_BYTES = PACKETS_TO_TRUST * PACKET_BYTES;

/**
 * Cuts one source's bytes into whole packets, and finds the packets again behind garbage. What is
 * not MPEG-TS from its first bytes on passes as it is. One per source. Never throws, and keeps less
 * than four packets.
 *
 * Whole packets pass without a copy; only a packet that two chunks share is put together.
 */
export class PacketAligner {
  /** Bytes not given on yet: the beginning of a packet, or of what may be one. */
  #rest = Buffer.alloc(0);
  #isSynced = true;
  #isTransportStream: boolean | undefined;
  #lostBytes = 0;

  /** Whether the source is MPEG-TS; undefined before enough of it has come, 564 bytes at most. */
  get isTransportStream(): boolean | undefined {
    return this.#isTransportStream;
  }

  /** Bytes that were in no packet. */
  get lostBytes(): number {
    return this.#lostBytes;
  }

  /** The whole packets in what has come; parts may be lent memory of `chunk`. */
  align(chunk: Buffer): readonly Buffer[] {
    if (this.#isTransportStream === undefined) return this.#begin(chunk);
    if (!this.#isTransportStream) return [chunk];
    const parts: Buffer[] = [];
    this.#cut(this.#completeRest(chunk, parts), parts);
    return parts;
  }

  #begin(chunk: Buffer): readonly Buffer[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const start = syncOffset(bytes);
    // Too few to tell a packet's end from something else: the next bytes will.
    if (start === undefined && isDoubtful(bytes)) {
      this.#rest = Buffer.from(bytes);
      return [];
    }
    this.#rest = Buffer.alloc(0);
    this.#isTransportStream = start !== undefined;
    if (start === undefined) return [bytes];
    this.#lostBytes += start;
    const parts: Buffer[] = [];
    this.#cut(bytes.subarray(start), parts);
    return parts;
  }

  /** Puts together what is left from before with what it lacks. @returns what is behind it. */
  #completeRest(chunk: Buffer, parts: Buffer[]): Buffer {
    const rest = this.#rest;
    if (rest.length === 0) return chunk;
    this.#rest = Buffer.alloc(0);
    if (!this.#isSynced) return Buffer.concat([rest, chunk]);
    const missing = Math.min(chunk.length, PACKET_BYTES - rest.length);
    const packet = Buffer.concat([rest, chunk.subarray(0, missing)]);
    if (packet.length === PACKET_BYTES) parts.push(packet);
    else this.#rest = packet;
    return chunk.subarray(missing);
  }

  #cut(bytes: Buffer, parts: Buffer[]): void {
    let at = 0;
    while (at < bytes.length) {
      const start = this.#isSynced ? at : this.#findSync(bytes, at);
      if (start === undefined) return;
      const end = endOfPackets(bytes, start);
      if (end > start) parts.push(bytes.subarray(start, end));
      this.#isSynced = end === bytes.length || bytes[end] === SYNC;
      if (this.#isSynced) {
        this.#rest = Buffer.from(bytes.subarray(end));
        return;
      }
      at = end;
    }
  }

  /** Where packets begin again; undefined, with the doubtful end kept, when they do not yet. */
  #findSync(bytes: Buffer, from: number): number | undefined {
    for (let at = from; at < bytes.length; at += 1) {
      if (bytes[at] !== SYNC || !couldBeSynced(bytes, at)) continue;
      if (at + (PACKETS_TO_TRUST - 1) * PACKET_BYTES >= bytes.length) {
        this.#lostBytes += at - from;
        this.#rest = Buffer.from(bytes.subarray(at));
        return undefined;
      }
      this.#lostBytes += at - from;
      this.#isSynced = true;
      return at;
    }
    this.#lostBytes += bytes.length - from;
    return undefined;
  }
}

/** More bytes could show that these are MPEG-TS. */
const isDoubtful = (bytes: Buffer): boolean =>
  bytes.length < PACKET_BYTES || (bytes.length < MAX_DOUBT_BYTES && bytes.includes(SYNC));

/** Where whole packets end that begin at `start`: at a packet without sync, or at the last one. */
function endOfPackets(bytes: Buffer, start: number): number {
  const lastAt = bytes.length - PACKET_BYTES;
  let at = start;
  while (at <= lastAt && bytes[at] === SYNC) at += PACKET_BYTES;
  return at;
}

/** Where the first packet begins; undefined when these bytes are not MPEG-TS. */
export function syncOffset(bytes: Buffer): number | undefined {
  const furthest = Math.min(PACKET_BYTES, bytes.length);
  for (let at = 0; at < furthest; at += 1) {
    // A lone sync byte proves nothing unless it is the very first.
    const isLone = at > 0 && at + PACKET_BYTES >= bytes.length;
    if (bytes[at] === SYNC && !isLone && couldBeSynced(bytes, at)) return at;
  }
  return undefined;
}

/** Every sync byte is in its place, as far as bytes have come. */
function couldBeSynced(bytes: Buffer, start: number): boolean {
  const last = Math.min(bytes.length, start + MAX_DOUBT_BYTES);
  for (let at = start; at < last; at += PACKET_BYTES) if (bytes[at] !== SYNC) return false;
  return true;
}
