/** Bytes of one MPEG-TS packet (ISO/IEC 13818-1 §2.4.3.2). */
export const PACKET_BYTES = 188;
export const NULL_PID = 0x1fff;
const SYNC_BYTE = 0x47;
const CLOCK_90K_MODULO = 2 ** 33;

/** What one packet says of itself; offsets count from the first byte of the packet. */
export type TsPacket = {
  readonly pid: number;
  readonly counter: number;
  readonly hasPayload: boolean;
  /** First packet of a PES packet or of a section. */
  readonly startsUnit: boolean;
  readonly discontinuity: boolean;
  /** A decoder can begin with the picture that starts here. */
  readonly randomAccess: boolean;
  readonly pcrOffset: number | undefined;
  /** Where the 5-byte presentation and decoding times are, when a PES header is here. */
  readonly ptsOffset: number | undefined;
  readonly dtsOffset: number | undefined;
};

/** Reads one packet. @throws Error when there is no sync byte. */
export function readPacket(bytes: Uint8Array, at = 0): TsPacket {
  if (bytes[at] !== SYNC_BYTE) throw new Error(`No sync byte at ${at}.`);
  const byte = (offset: number): number => bytes[at + offset] ?? 0;
  const hasAdaptation = (byte(3) & 0x20) !== 0 && byte(4) > 0;
  const flags = hasAdaptation ? byte(5) : 0;
  const payloadAt = (byte(3) & 0x20) === 0 ? 4 : 5 + byte(4);
  const startsUnit = (byte(1) & 0x40) !== 0;
  return {
    pid: ((byte(1) & 0x1f) << 8) | byte(2),
    counter: byte(3) & 0x0f,
    hasPayload: (byte(3) & 0x10) !== 0,
    startsUnit,
    discontinuity: (flags & 0x80) !== 0,
    randomAccess: (flags & 0x40) !== 0,
    pcrOffset: (flags & 0x10) === 0 ? undefined : 6,
    ...(startsUnit ? pesTimes(byte, payloadAt) : NO_TIMES),
  };
}

const NO_TIMES = { ptsOffset: undefined, dtsOffset: undefined };

/** PES header, §2.4.3.6: start code, stream id, length, flags, header length, then the times. */
function pesTimes(byte: (offset: number) => number, payloadAt: number) {
  const isPes = byte(payloadAt) === 0 && byte(payloadAt + 1) === 0 && byte(payloadAt + 2) === 1;
  const present = isPes ? byte(payloadAt + 7) >> 6 : 0;
  return {
    ptsOffset: present >= 2 ? payloadAt + 9 : undefined,
    dtsOffset: present === 3 ? payloadAt + 14 : undefined,
  };
}

/** Reads a 33-bit time in 90 kHz ticks from its 5 bytes with marker bits (§2.4.3.7). */
export function readTime90k(bytes: Uint8Array, at: number): number {
  const byte = (offset: number): number => bytes[at + offset] ?? 0;
  const high = (byte(0) >> 1) & 0x07;
  const middle = (byte(1) << 7) | (byte(2) >> 1);
  const low = (byte(3) << 7) | (byte(4) >> 1);
  return high * 2 ** 30 + middle * 2 ** 15 + low;
}

export function writeTime90k(bytes: Uint8Array, at: number, time90k: number): void {
  const time = time90k % CLOCK_90K_MODULO;
  const low = time % 2 ** 15;
  const middle = Math.floor(time / 2 ** 15) % 2 ** 15;
  bytes[at] = ((bytes[at] ?? 0) & 0xf0) | (Math.floor(time / 2 ** 30) << 1) | 1;
  bytes[at + 1] = middle >> 7;
  bytes[at + 2] = ((middle & 0x7f) << 1) | 1;
  bytes[at + 3] = low >> 7;
  bytes[at + 4] = ((low & 0x7f) << 1) | 1;
}

/** Reads the 33-bit base of a program clock reference; the 27 MHz part is left out. */
export function readPcr90k(bytes: Uint8Array, at: number): number {
  const byte = (offset: number): number => bytes[at + offset] ?? 0;
  const high = byte(0) * 2 ** 24 + (byte(1) << 16) + (byte(2) << 8) + byte(3);
  return high * 2 + (byte(4) >> 7);
}

export function writePcr90k(bytes: Uint8Array, at: number, pcr90k: number): void {
  const pcr = pcr90k % CLOCK_90K_MODULO;
  const high = Math.floor(pcr / 2);
  bytes[at] = Math.floor(high / 2 ** 24);
  bytes[at + 1] = (high >> 16) & 0xff;
  bytes[at + 2] = (high >> 8) & 0xff;
  bytes[at + 3] = high & 0xff;
  bytes[at + 4] = ((pcr % 2) << 7) | ((bytes[at + 4] ?? 0) & 0x7f);
}

/** Every whole packet of a file or of a capture that begins with one, with its place in bytes. */
export function* packetsOf(bytes: Uint8Array): Generator<TsPacket & { readonly at: number }> {
  for (let at = 0; at + PACKET_BYTES <= bytes.length; at += PACKET_BYTES) {
    yield { ...readPacket(bytes, at), at };
  }
}
