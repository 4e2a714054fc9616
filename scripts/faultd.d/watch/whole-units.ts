import { NULL_PID, PACKET_BYTES, readPacket } from '../ts-tools.ts';
import type { Tables } from './tables.ts';

const MOST_UNIT_BYTES = 4 * 1024 * 1024;

/**
 * Holds each picture and sound frame back until the next one begins, so that a viewer that leaves
 * in the middle of one does not count its own leaving as a damaged frame.
 */
export class WholeUnits {
  readonly #tables: Tables;
  readonly #held = new Map<number, Buffer[]>();

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** Whole packets in; those that can go on, out. */
  take(packets: Buffer): Buffer {
    const out: Buffer[] = [];
    for (let at = 0; at + PACKET_BYTES <= packets.length; at += PACKET_BYTES) {
      this.#takeOne(packets.subarray(at, at + PACKET_BYTES), out);
    }
    return Buffer.concat(out);
  }

  /** What is still held: units that nobody knows to be whole. */
  rest(): Buffer {
    return Buffer.concat([...this.#held.values()].flat());
  }

  #takeOne(packet: Buffer, out: Buffer[]): void {
    const { pid, startsUnit } = readPacket(packet);
    if (pid === NULL_PID || this.#tables.isTable(pid)) {
      out.push(packet);
      return;
    }
    const held = this.#held.get(pid) ?? [];
    const isFull = held.length * PACKET_BYTES >= MOST_UNIT_BYTES;
    if (startsUnit || isFull) out.push(...held.splice(0));
    // A copy: the buffer it came in may be much larger, and this one stays.
    held.push(Buffer.from(packet));
    this.#held.set(pid, held);
  }
}
