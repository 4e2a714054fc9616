import type { PacketView } from './packet.ts';
import { readTime90k } from './timestamps.ts';

const FIXED_BYTES = 9;
const TIME_BYTES = 5;
const START_CODE = 1;

/**
 * The header of a PES packet (ISO/IEC 13818-1 §2.4.3.6), read into again and again. Offsets count
 * from the start of the packet's buffer; −1: it is not there.
 */
export class PesHeader {
  isPes = false;
  /** Bytes of the whole PES packet; 0: it lasts until the next begins. */
  totalBytes = 0;
  ptsAt = -1;
  dtsAt = -1;
  pts90k = -1;
  /** Equals the presentation time where none is sent. */
  dts90k = -1;
  /** Where the elementary stream begins. */
  dataAt = -1;

  /** Reads the header in the payload of a packet that starts a unit; never throws. */
  read(view: PacketView): void {
    const { bytes, payloadAt: at, end } = view;
    this.forget();
    if (at + FIXED_BYTES > end || bytes.readUIntBE(at, 3) !== START_CODE) return;
    this.isPes = true;
    const declared = bytes.readUInt16BE(at + 4);
    this.totalBytes = declared === 0 ? 0 : declared + 6;
    // Padding, maps and a few others have no more header than this; their sixth byte tells.
    if (((bytes[at + 6] ?? 0) & 0xc0) !== 0x80) return;
    this.dataAt = Math.min(end, at + FIXED_BYTES + (bytes[at + 8] ?? 0));
    this.#readTimes(bytes, at, end);
  }

  #readTimes(bytes: Buffer, at: number, end: number): void {
    const present = (bytes[at + 7] ?? 0) >> 6;
    const first = at + FIXED_BYTES;
    if (present < 2 || first + TIME_BYTES > end) return;
    this.ptsAt = first;
    this.pts90k = readTime90k(bytes, first);
    this.dts90k = this.pts90k;
    if (present !== 3 || first + 2 * TIME_BYTES > end) return;
    this.dtsAt = first + TIME_BYTES;
    this.dts90k = readTime90k(bytes, this.dtsAt);
  }

  /** There is no header. */
  forget(): void {
    this.isPes = false;
    this.totalBytes = 0;
    this.ptsAt = -1;
    this.dtsAt = -1;
    this.pts90k = -1;
    this.dts90k = -1;
    this.dataAt = -1;
  }
}
