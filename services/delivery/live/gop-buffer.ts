import { PACKET_BYTES } from '#mpegts';

const SYNC = 0x47;
const PAT_PID = 0;
/** A PMT that needs more packets than this is not kept. */
const MAX_PMT_PACKETS = 8;

/**
 * Keeps what a decoder needs to begin now: the tables, and all since the last keyframe. Where that
 * would take more than `maxBytes`, and where a source has no keyframes that can be told, only the
 * tables are kept: who takes over then begins with what comes next.
 *
 * A keyframe is a packet that begins a unit, carries a clock reference and says that decoding can
 * begin with it (ISO/IEC 13818-1 §2.4.3.5).
 */
export class GopBuffer {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #bytes = 0;
  #isCollecting = false;
  #pat: Buffer | undefined;
  #pmt: Buffer[] = [];
  #pmtPid: number | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes whole packets; they are copied. */
  push(parts: readonly Buffer[]): void {
    for (const part of parts) if (part[0] === SYNC) this.#take(Buffer.from(part));
  }

  /** The tables, then everything from the last keyframe on. */
  get content(): readonly Buffer[] {
    const tables = this.#pat === undefined ? [] : [this.#pat, ...this.#pmt];
    return [...tables, ...this.#parts];
  }

  #take(part: Buffer): void {
    let from = 0;
    for (let at = 0; at + PACKET_BYTES <= part.length; at += PACKET_BYTES) {
      this.#noteTable(part, at);
      if (!isKeyframe(part, at)) continue;
      this.#drop();
      this.#isCollecting = true;
      from = at;
    }
    if (this.#isCollecting) this.#keep(part.subarray(from));
  }

  #keep(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes <= this.#maxBytes) return;
    this.#drop();
    this.#isCollecting = false;
  }

  #drop(): void {
    this.#parts = [];
    this.#bytes = 0;
  }

  #noteTable(part: Buffer, at: number): void {
    const pid = pidOf(part, at);
    if (pid !== PAT_PID && pid !== this.#pmtPid) return;
    const packet = Buffer.from(part.subarray(at, at + PACKET_BYTES));
    if (pid === PAT_PID) {
      if (!startsUnit(packet, 0)) return;
      this.#pat = packet;
      this.#pmtPid = pmtPidOf(packet);
    } else if (startsUnit(packet, 0)) this.#pmt = [packet];
    else if (this.#pmt.length < MAX_PMT_PACKETS) this.#pmt.push(packet);
  }
}

const pidOf = (part: Buffer, at: number): number => part.readUInt16BE(at + 1) & 0x1fff;

const startsUnit = (part: Buffer, at: number): boolean => ((part[at + 1] ?? 0) & 0x40) !== 0;

const RANDOM_ACCESS_AND_PCR = 0x50;

function isKeyframe(part: Buffer, at: number): boolean {
  const hasAdaptation = ((part[at + 3] ?? 0) & 0x20) !== 0 && (part[at + 4] ?? 0) > 0;
  if (!hasAdaptation || !startsUnit(part, at)) return false;
  return ((part[at + 5] ?? 0) & RANDOM_ACCESS_AND_PCR) === RANDOM_ACCESS_AND_PCR;
}

/** The PID of the first program in a PAT packet (ISO/IEC 13818-1 §2.4.4.3); 0 is the network's. */
function pmtPidOf(packet: Buffer): number | undefined {
  const hasAdaptation = ((packet[3] ?? 0) & 0x20) !== 0;
  const payload = hasAdaptation ? 5 + (packet[4] ?? 0) : 4;
  const section = payload + 1 + (packet[payload] ?? 0);
  if (section + 8 > PACKET_BYTES) return undefined;
  const end = Math.min(PACKET_BYTES, section + 3 + (packet.readUInt16BE(section + 1) & 0xfff) - 4);
  for (let at = section + 8; at + 4 <= end; at += 4) {
    if (packet.readUInt16BE(at) !== 0) return packet.readUInt16BE(at + 2) & 0x1fff;
  }
  return undefined;
}
