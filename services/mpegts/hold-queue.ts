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
   * Puts `parts` behind what waits and gives back all but the last `keep` packets.
   * @param isLent - The memory of `parts` may change after this.
   */
  advance(parts: readonly Buffer[], keep: number, isLent: boolean): Buffer[] {
    const arrived = parts.reduce((sum, part) => sum + part.length / PACKET_BYTES, 0);
    let toRelease = this.#packets + arrived - keep;
    const held = this.#parts;
    const released: Buffer[] = [];
    this.#parts = [];
    this.#packets = keep;
    const place = (part: Buffer, copies: boolean): void => {
      const head = Math.min(part.length, toRelease * PACKET_BYTES);
      toRelease -= head / PACKET_BYTES;
      if (head > 0) released.push(head === part.length ? part : part.subarray(0, head));
      if (head === part.length) return;
      const rest = part.subarray(head);
      this.#parts.push(copies ? Buffer.from(rest) : rest);
    };
    for (const part of held) place(part, false);
    for (const part of parts) place(part, isLent);
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
