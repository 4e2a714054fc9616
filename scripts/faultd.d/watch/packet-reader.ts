import { PACKET_BYTES } from '../ts-tools.ts';

const SYNC_BYTE = 0x47;
/** So many packets in a row with a sync byte are a transport stream. */
const SURE_PACKETS = 3;
const MOST_PENDING_BYTES = 64 * PACKET_BYTES;

/** Cuts a transport stream into whole packets, and finds them again after bytes that are none. */
export class PacketReader {
  #pending = Buffer.alloc(0);
  #inSync = false;
  syncLosses = 0;
  skippedBytes = 0;

  /** Whole packets that can be told by now, in one buffer; the rest waits. */
  read(chunk: Buffer): Buffer {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const whole: Buffer[] = [];
    let at = 0;
    for (;;) {
      if (!this.#inSync) at = this.#resync(bytes, at);
      if (!this.#inSync) break;
      const end = endOfRun(bytes, at);
      if (end > at) whole.push(bytes.subarray(at, end));
      at = end;
      if (bytes.length - at < PACKET_BYTES) break;
      this.#inSync = false;
      this.syncLosses += 1;
    }
    this.#pending = Buffer.from(bytes.subarray(at));
    return whole.length === 1 ? (whole[0] ?? Buffer.alloc(0)) : Buffer.concat(whole);
  }

  /** Where packets begin again, or where to look on when more has come. */
  #resync(bytes: Buffer, from: number): number {
    const lastSure = bytes.length - (SURE_PACKETS - 1) * PACKET_BYTES;
    let at = from;
    while (at < lastSure && !isSure(bytes, at)) at += 1;
    this.#inSync = at < lastSure;
    const kept = this.#inSync ? at : Math.max(at, bytes.length - MOST_PENDING_BYTES);
    this.skippedBytes += kept - from;
    return kept;
  }
}

function isSure(bytes: Buffer, at: number): boolean {
  for (let count = 0; count < SURE_PACKETS; count += 1) {
    if (bytes[at + count * PACKET_BYTES] !== SYNC_BYTE) return false;
  }
  return true;
}

/** Behind the last whole packet with a sync byte. */
function endOfRun(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes.length - at >= PACKET_BYTES && bytes[at] === SYNC_BYTE) at += PACKET_BYTES;
  return at;
}
