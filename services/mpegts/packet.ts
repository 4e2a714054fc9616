/** ISO/IEC 13818-1 §2.4.3.2: a transport packet has 188 bytes and begins with 0x47. */
export const PACKET_BYTES = 188;
/** What a packet holds beside its header. */
export const PAYLOAD_BYTES = PACKET_BYTES - 4;
export const SYNC = 0x47;
export const PAT_PID = 0;
export const NULL_PID = 0x1fff;

const PCR_BYTES = 6;

/**
 * The header of one transport packet. One object is made per reader and read into again and again,
 * so that looking at a packet costs no memory. Offsets count from the start of `bytes`.
 */
export class PacketView {
  bytes: Buffer = Buffer.alloc(PACKET_BYTES);
  at = 0;
  pid = NULL_PID;
  counter = 0;
  hasError = false;
  isScrambled = false;
  /** A PES packet or a section starts in this packet. */
  startsUnit = false;
  hasPayload = false;
  /** −1: there is no adaptation field. */
  adaptationBytes = -1;
  /** Flags of the adaptation field; 0 when there is none. */
  flags = 0;
  payloadAt = 0;

  /** Reads 188 bytes from `at`; they are a packet whatever they hold, this never throws. */
  read(bytes: Buffer, at: number): void {
    const second = bytes[at + 1] ?? 0;
    const fourth = bytes[at + 3] ?? 0;
    this.bytes = bytes;
    this.at = at;
    this.pid = ((second & 0x1f) << 8) | (bytes[at + 2] ?? 0);
    this.hasError = (second & 0x80) !== 0;
    this.counter = fourth & 0x0f;
    this.isScrambled = (fourth & 0xc0) !== 0;
    this.hasPayload = (fourth & 0x10) !== 0;
    this.startsUnit = this.hasPayload && (second & 0x40) !== 0;
    this.payloadAt = at + 4;
    this.adaptationBytes = -1;
    this.flags = 0;
    if ((fourth & 0x20) !== 0) this.#readAdaptation(bytes, at);
  }

  get end(): number {
    return this.at + PACKET_BYTES;
  }

  get payloadBytes(): number {
    return this.hasPayload ? this.at + PACKET_BYTES - this.payloadAt : 0;
  }

  get hasDiscontinuity(): boolean {
    return (this.flags & 0x80) !== 0;
  }

  get hasRandomAccess(): boolean {
    return (this.flags & 0x40) !== 0;
  }

  /** Where the program clock reference is; −1: there is none. */
  get pcrAt(): number {
    return (this.flags & 0x10) !== 0 && this.adaptationBytes > PCR_BYTES ? this.at + 6 : -1;
  }

  /**
   * Bytes were stuffed in, as a multiplexer does where a PES packet ends before its packet is full.
   * Says no when in doubt.
   */
  get isStuffed(): boolean {
    if (this.adaptationBytes <= 0) return this.adaptationBytes === 0;
    // Private data and the extension have lengths of their own.
    if ((this.flags & 0x03) !== 0) return false;
    const { flags } = this;
    const pcr = (flags & 0x10) === 0 ? 0 : PCR_BYTES;
    const originalPcr = (flags & 0x08) === 0 ? 0 : PCR_BYTES;
    const countdown = (flags & 0x04) === 0 ? 0 : 1;
    return this.adaptationBytes > 1 + pcr + originalPcr + countdown;
  }

  #readAdaptation(bytes: Buffer, at: number): void {
    const length = bytes[at + 4] ?? 0;
    if (length > PACKET_BYTES - 5) {
      // Damaged: no field is that long, so nothing behind it can be found.
      this.hasPayload = false;
      this.startsUnit = false;
      return;
    }
    this.adaptationBytes = length;
    this.flags = length > 0 ? (bytes[at + 5] ?? 0) : 0;
    this.payloadAt = at + 5 + length;
    if (this.payloadAt >= at + PACKET_BYTES) this.startsUnit = false;
  }
}
