import { crc32 } from './crc32.ts';
import { PACKET_BYTES } from './packet.ts';
import type { PacketView } from './packet.ts';

/** ISO/IEC 13818-1 §2.4.4: a PAT or PMT section has at most 1021 bytes behind its length. */
const MAX_SECTION_BYTES = 1024;
const HEAD_BYTES = 3;
const MIN_SECTION_BYTES = 12;

/**
 * Puts the sections of one PID together from its packets, and gives on those that are whole and
 * whose checksum holds.
 */
export class SectionAssembler {
  readonly #deliver: (section: Buffer) => void;
  readonly #bytes = Buffer.allocUnsafe(MAX_SECTION_BYTES);
  readonly #last = Buffer.alloc(PACKET_BYTES);
  #length = 0;
  #counter = -1;
  /** Between sections, or lost: wait for the next start. */
  #isWaiting = true;

  /** @param deliver - Gets each section with its header and checksum; the memory is lent. */
  constructor(deliver: (section: Buffer) => void) {
    this.#deliver = deliver;
  }

  /** Takes the next packet of the PID. */
  push(view: PacketView): void {
    if (!view.hasPayload || view.isScrambled || view.hasError) return;
    if (this.#isRepeat(view)) return;
    view.bytes.copy(this.#last, 0, view.at, view.at + PACKET_BYTES);
    const isNext = view.counter === ((this.#counter + 1) & 0x0f);
    this.#counter = view.counter;
    if (!isNext) this.#isWaiting = true;
    if (view.startsUnit) this.#start(view);
    else if (!this.#isWaiting) this.#take(view.bytes, view.payloadAt, view.end);
  }

  /** §2.4.3.3: sent twice, and the same. With other content, sixteen are missing or the sender is another. */
  #isRepeat({ bytes, at, counter }: PacketView): boolean {
    if (counter !== this.#counter) return false;
    return bytes.compare(this.#last, 0, PACKET_BYTES, at, at + PACKET_BYTES) === 0;
  }

  #start({ bytes, payloadAt, end }: PacketView): void {
    const first = Math.min(end, payloadAt + 1 + (bytes[payloadAt] ?? 0));
    if (!this.#isWaiting) this.#take(bytes, payloadAt + 1, first);
    let at = first;
    // 0xff behind a section is stuffing up to the end of the packet.
    while (at < end && bytes[at] !== 0xff) {
      this.#length = 0;
      this.#isWaiting = false;
      at = this.#take(bytes, at, end);
      if (this.#isWaiting && at === end) return;
    }
  }

  /** Returns where the bytes of this section end. */
  #take(bytes: Buffer, from: number, end: number): number {
    const headEnd = this.#copy(bytes, { from, end, upTo: HEAD_BYTES });
    if (this.#length < HEAD_BYTES) return headEnd;
    const total = HEAD_BYTES + (this.#bytes.readUInt16BE(1) & 0x0fff);
    if (total > MAX_SECTION_BYTES || total < MIN_SECTION_BYTES) {
      this.#isWaiting = true;
      return end;
    }
    const sectionEnd = this.#copy(bytes, { from: headEnd, end, upTo: total });
    if (this.#length === total) this.#finish(total);
    return sectionEnd;
  }

  #copy(bytes: Buffer, { from, end, upTo }: { from: number; end: number; upTo: number }): number {
    const stop = Math.min(end, from + Math.max(0, upTo - this.#length));
    this.#length += bytes.copy(this.#bytes, this.#length, from, stop);
    return stop;
  }

  #finish(total: number): void {
    this.#isWaiting = true;
    const section = this.#bytes.subarray(0, total);
    if (crc32(section) === 0) this.#deliver(section);
  }
}
