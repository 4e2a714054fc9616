import { PACKET_BYTES, writePcr90k, writeTime90k } from '../../../scripts/faultd.d/ts-tools.ts';

export type PacketSpec = {
  readonly pid: number;
  readonly counter: number;
  readonly pcr90k?: number;
  readonly dts90k?: number;
  readonly discontinuity?: boolean;
  readonly payload?: Buffer;
};

/** One packet of 188 bytes, as small as the test needs it; the payload begins a unit. */
export function packet(spec: PacketSpec): Buffer {
  const bytes = Buffer.alloc(PACKET_BYTES, 0xff);
  const isUnit = spec.dts90k !== undefined || spec.payload !== undefined;
  bytes[0] = 0x47;
  bytes.writeUInt16BE(spec.pid | (isUnit ? 0x4000 : 0), 1);
  bytes[3] = 0x30 | spec.counter;
  bytes[4] = 7;
  bytes[5] = (spec.discontinuity ? 0x80 : 0) | (spec.pcr90k === undefined ? 0 : 0x10);
  if (spec.pcr90k !== undefined) writePcr90k(bytes, 6, spec.pcr90k);
  spec.payload?.copy(bytes, 12);
  if (spec.dts90k !== undefined) writePes(bytes.subarray(12), spec.dts90k);
  return bytes;
}

/** Head of a picture with one time. */
function writePes(bytes: Buffer, dts90k: number): void {
  Buffer.from([0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21, 0, 1, 0, 1]).copy(bytes);
  writeTime90k(bytes, 9, dts90k);
}

/** A section behind its pointer field, its checksum left blank. */
export function section(tableId: number, version: number, content: readonly number[]): Buffer {
  const length = 5 + content.length + 4;
  const head = [tableId, 0xb0, length, 0, 1, 0xc1 | (version << 1), 0, 0];
  return Buffer.from([0, ...head, ...content, 0, 0, 0, 0]);
}
