import { NULL_PID, PACKET_BYTES, PAYLOAD_BYTES } from './packet.ts';

const HAS_ERROR_OR_STARTS = 0xc0;
const CONTROL = 0xf0;
/** Not scrambled, no adaptation field, payload. */
const PLAIN = 0x10;

/**
 * Packets of one PID, one behind the other, that do nothing but go on: no error, no start of a
 * unit, no adaptation field, no scrambling, no counter out of turn. Nearly all packets are in such
 * a run, and what is to be known of it costs as much as what is to be known of one packet.
 */
export type PacketRun = {
  readonly bytes: Buffer;
  /** Where the first one is. */
  readonly at: number;
  readonly pid: number;
  readonly packets: number;
  readonly firstCounter: number;
  readonly lastCounter: number;
};

/**
 * A walk through whole packets that sees runs. One object is made per reader and used again and
 * again; as a `PacketRun` it is the run that begins where the walk stands, of no packets when the
 * next one is not plain.
 */
export class PacketWalk implements PacketRun {
  bytes: Buffer = Buffer.alloc(0);
  at = 0;
  pid = NULL_PID;
  packets = 0;

  get firstCounter(): number {
    return (this.bytes[this.at + 3] ?? 0) & 0x0f;
  }

  get lastCounter(): number {
    return (this.bytes[this.at + this.packets * PACKET_BYTES - PAYLOAD_BYTES - 1] ?? 0) & 0x0f;
  }

  get isOver(): boolean {
    return this.at + PACKET_BYTES > this.bytes.length;
  }

  begin(bytes: Buffer, at = 0): void {
    this.bytes = bytes;
    this.at = at;
    this.#find();
  }

  /** Goes on by so many packets; by no more than the run has, or by one that is none. */
  advance(packets: number): void {
    this.at += packets * PACKET_BYTES;
    this.packets -= packets;
    if (this.packets <= 0) this.#find();
  }

  #find(): void {
    const { bytes, at } = this;
    const second = bytes[at + 1] ?? 0;
    const third = bytes[at + 2] ?? 0;
    const fourth = bytes[at + 3] ?? 0;
    this.packets = 0;
    this.pid = ((second & 0x1f) << 8) | third;
    if ((second & HAS_ERROR_OR_STARTS) !== 0 || (fourth & CONTROL) !== PLAIN) return;
    // §2.4.3.3: the counters of null packets mean nothing.
    const mask = this.pid === NULL_PID ? CONTROL : 0xff;
    this.packets = countAlike(bytes, at, mask);
  }
}

/** The packets from `from` on with the same header, but for a counter that goes up. */
function countAlike(bytes: Buffer, from: number, mask: number): number {
  const lastAt = bytes.length - PACKET_BYTES;
  const second = bytes[from + 1];
  const third = bytes[from + 2];
  let fourth = bytes[from + 3] ?? 0;
  let at = from;
  while (at <= lastAt && bytes[at + 1] === second && bytes[at + 2] === third) {
    if ((((bytes[at + 3] ?? 0) ^ fourth) & mask) !== 0) break;
    fourth = PLAIN | ((fourth + 1) & 0x0f);
    at += PACKET_BYTES;
  }
  return (at - from) / PACKET_BYTES;
}
