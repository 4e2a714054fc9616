import { PACKET_BYTES } from './packet.ts';
import type { PacketRun } from './packet-walk.ts';

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

  /**
   * Adds copies of plain packets under another PID.
   * @param shift - Added to their counters.
   * @returns the copies, which are a run in `bytes`.
   */
  appendRun(run: PacketRun, pid: number, shift: number): PacketRun {
    const { packets } = run;
    const at = this.claim(packets);
    const bytes = this.#bytes;
    const end = at + packets * PACKET_BYTES;
    run.bytes.copy(bytes, at, run.at, run.at + packets * PACKET_BYTES);
    for (let header = at; header < end; header += PACKET_BYTES) {
      bytes[header + 1] = ((bytes[header + 1] ?? 0) & 0xe0) | (pid >> 8);
      bytes[header + 2] = pid & 0xff;
      bytes[header + 3] = 0x10 | (((bytes[header + 3] ?? 0) + shift) & 0x0f);
    }
    const firstCounter = (run.firstCounter + shift) & 0x0f;
    const lastCounter = (run.lastCounter + shift) & 0x0f;
    return { bytes, at, pid, packets, firstCounter, lastCounter };
  }

  /** Adds packets with bytes that nobody has set. @returns where the first is in `bytes`. */
  claim(packets = 1): number {
    const at = this.#length;
    const end = at + packets * PACKET_BYTES;
    if (end > this.#bytes.length) this.#growTo(end);
    this.#length = end;
    return at;
  }

  clear(): void {
    this.#length = 0;
  }

  #growTo(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
