/** PTS and DTS count 90 kHz ticks in 33 bits (ISO/IEC 13818-1 §2.4.3.7): 26.5 hours. */
export const TICKS_PER_SECOND = 90_000;
const MODULO_90K = 2 ** 33;
/** A program clock reference counts 27 MHz ticks: its base is in 90 kHz, its extension the rest. */
export const PCR_PER_TICK = 300;
const MODULO_27M = MODULO_90K * PCR_PER_TICK;

/** Brings a time onto the circle. */
export const wrap90k = (ticks: number): number => modulo(ticks, MODULO_90K);
export const wrap27m = (ticks: number): number => modulo(ticks, MODULO_27M);

/** How far `to` is ahead of `from`, the shorter way round the circle; negative when behind. */
export const ahead90k = (to: number, from: number): number => shorter(to - from, MODULO_90K);
export const ahead27m = (to: number, from: number): number => shorter(to - from, MODULO_27M);

const modulo = (value: number, circle: number): number => {
  const rest = value % circle;
  return rest < 0 ? rest + circle : rest;
};

function shorter(distance: number, circle: number): number {
  const forward = modulo(distance, circle);
  return forward > circle / 2 ? forward - circle : forward;
}

/** Reads a PTS or DTS from its 5 bytes with marker bits. */
export function readTime90k(bytes: Buffer, at: number): number {
  const high = ((bytes[at] ?? 0) >> 1) & 0x07;
  const middle = ((bytes[at + 1] ?? 0) << 7) | ((bytes[at + 2] ?? 0) >> 1);
  const low = ((bytes[at + 3] ?? 0) << 7) | ((bytes[at + 4] ?? 0) >> 1);
  return high * 2 ** 30 + middle * 2 ** 15 + low;
}

/** Writes a PTS or DTS over another; the first four bits, which say which it is, stay. */
export function writeTime90k(bytes: Buffer, at: number, time90k: number): void {
  const high = Math.floor(time90k / 2 ** 30);
  const rest = time90k % 2 ** 30;
  const middle = rest >> 15;
  const low = rest & 0x7fff;
  bytes[at] = ((bytes[at] ?? 0) & 0xf0) | (high << 1) | 1;
  bytes[at + 1] = middle >> 7;
  bytes[at + 2] = ((middle & 0x7f) << 1) | 1;
  bytes[at + 3] = low >> 7;
  bytes[at + 4] = ((low & 0x7f) << 1) | 1;
}

/** Reads a program clock reference in 27 MHz ticks. */
export function readPcr27m(bytes: Buffer, at: number): number {
  const fifth = bytes[at + 4] ?? 0;
  const extension = ((fifth & 1) << 8) | (bytes[at + 5] ?? 0);
  return (bytes.readUInt32BE(at) * 2 + (fifth >> 7)) * PCR_PER_TICK + extension;
}

export function writePcr27m(bytes: Buffer, at: number, pcr27m: number): void {
  const base = Math.floor(pcr27m / PCR_PER_TICK);
  const extension = pcr27m % PCR_PER_TICK;
  bytes.writeUInt32BE(Math.floor(base / 2), at);
  // Six reserved bits between base and extension are ones.
  bytes[at + 4] = ((base % 2) << 7) | 0x7e | (extension >> 8);
  bytes[at + 5] = extension & 0xff;
}
