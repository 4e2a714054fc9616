import { PACKET_BYTES } from '#mpegts';

/** The packets of a segment that is being filled. */
export class OpenSegment {
  #parts: Buffer[] = [];
  #bytes = 0;

  get packets(): number {
    return this.#bytes / PACKET_BYTES;
  }

  /** Takes whole packets; keeps the memory. */
  add(packets: Buffer): void {
    this.#parts.push(packets);
    this.#bytes += packets.length;
  }

  /** Takes out all before this packet, in order. */
  take(packet: number): readonly Buffer[] {
    let left = packet * PACKET_BYTES;
    const taken: Buffer[] = [];
    const rest: Buffer[] = [];
    for (const part of this.#parts) {
      const cutAt = Math.max(0, Math.min(left, part.length));
      if (cutAt > 0) taken.push(part.subarray(0, cutAt));
      if (cutAt < part.length) rest.push(part.subarray(cutAt));
      left -= part.length;
    }
    this.#parts = rest;
    this.#bytes -= packet * PACKET_BYTES;
    return taken;
  }
}
