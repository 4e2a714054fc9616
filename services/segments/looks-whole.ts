const TS_PACKET_BYTES = 188;
const SYNC = 0x47;

/**
 * Whether a body whose end nothing announced is whole by its own structure: transport stream
 * packets, or boxes of ISO/IEC 14496-12 that end where it ends. Says no where it cannot tell.
 */
export function looksWhole(bytes: Buffer): boolean {
  if (bytes.length === 0) return false;
  if (bytes[0] === SYNC) return bytes.length % TS_PACKET_BYTES === 0;
  return boxesEndAt(bytes);
}

function boxesEndAt(bytes: Buffer): boolean {
  let at = 0;
  while (at + 8 <= bytes.length) {
    if (!/^[\w ]{4}$/.test(bytes.toString('latin1', at + 4, at + 8))) return false;
    const size = boxSize(bytes, at);
    if (size < 8) return false;
    at += size;
  }
  return at === bytes.length;
}

function boxSize(bytes: Buffer, at: number): number {
  const size = bytes.readUInt32BE(at);
  if (size !== 1) return size;
  return at + 16 <= bytes.length ? Number(bytes.readBigUInt64BE(at + 8)) : 0;
}
