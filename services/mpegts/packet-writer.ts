import { PACKET_BYTES } from './packet.ts';

/** Collects packets in memory of its own. */
export class PacketWriter {
  #bytes: Buffer;
  #length = 0;

  /** @param packets - How many are expected; more are taken too. */
  constructor(packets: number) {
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(8, packets) * PACKET_BYTES);
  }

  /** The memory written to; another after `append` or `claim` had to grow it. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  get packets(): number {
    return this.#length / PACKET_BYTES;
  }

  get written(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Adds a copy of one packet. @returns where it is in `bytes`. */
  append(source: Buffer, from: number): number {
    const at = this.claim();
    source.copy(this.#bytes, at, from, from + PACKET_BYTES);
    return at;
  }

  /** Adds one packet with bytes that nobody has set. @returns where it is in `bytes`. */
  claim(): number {
    const at = this.#length;
    if (at + PACKET_BYTES > this.#bytes.length) this.#grow();
    this.#length += PACKET_BYTES;
    return at;
  }

  clear(): void {
    this.#length = 0;
  }

  #grow(): void {
    const larger = Buffer.allocUnsafeSlow(this.#bytes.length * 2);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
