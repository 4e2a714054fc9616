import { PACKET_BYTES } from './packet.ts';

/**
 * Whole packets that wait. What is lent is copied when it has to wait and passes as it is when it
 * has not.
 */
export class HoldQueue {
  #parts: Buffer[] = [];
  #packets = 0;

  /** Packets that wait. */
  get packets(): number {
    return this.#packets;
  }

  /**
   * Puts a part behind what waits and gives back all but the last `keep` packets.
   * @param isLent - The memory of `part` may change after this.
   */
  advance(part: Buffer, keep: number, isLent: boolean): Buffer[] {
    let toRelease = this.#packets + part.length / PACKET_BYTES - keep;
    const held = this.#parts;
    const released: Buffer[] = [];
    this.#parts = [];
    this.#packets = keep;
    const place = (bytes: Buffer, copies: boolean): void => {
      const head = Math.min(bytes.length, toRelease * PACKET_BYTES);
      toRelease -= head / PACKET_BYTES;
      if (head > 0) released.push(head === bytes.length ? bytes : bytes.subarray(0, head));
      if (head === bytes.length) return;
      const rest = bytes.subarray(head);
      this.#parts.push(copies ? Buffer.from(rest) : rest);
    };
    for (const waiting of held) place(waiting, false);
    place(part, isLent);
    return released;
  }

  /** Empties the queue. */
  drain(): Buffer[] {
    const parts = this.#parts;
    this.#parts = [];
    this.#packets = 0;
    return parts;
  }
}
