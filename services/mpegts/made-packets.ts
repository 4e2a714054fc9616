import { PACKET_BYTES, SYNC } from './packet.ts';
import { writePcr27m } from './timestamps.ts';

/** A packet of adaptation field only: 4 bytes header, 1 byte length, 183 bytes field. */
const FIELD_BYTES = PACKET_BYTES - 5;
const DISCONTINUITY = 0x80;
const HAS_PCR = 0x10;

export type PacketPlace = { readonly bytes: Buffer; readonly at: number };
/** `counter`: that of the PID's last packet, as packets without payload do not count on. */
export type PacketHead = { readonly pid: number; readonly counter: number };

/** Makes a packet that carries nothing but the program clock. */
export function putClock(place: PacketPlace, head: PacketHead, pcr27m: number): void {
  putEmpty(place, head, HAS_PCR);
  writePcr27m(place.bytes, place.at + 6, pcr27m);
}

/** Makes a packet that says that its PID does not go on as it was (§2.4.3.5). */
export function putDiscontinuity(place: PacketPlace, head: PacketHead): void {
  putEmpty(place, head, DISCONTINUITY);
}

/** ITU-T H.265 §7.4.2.2: end of sequence, NAL unit type 36, behind a start code. */
const HEVC_END_OF_SEQUENCE = Buffer.from([0, 0, 0, 1, 0x48, 1]);
/** A PES header of a video stream without length and without times. */
const BARE_PES_HEADER = Buffer.from([0, 0, 1, 0xe0, 0, 0, 0x80, 0, 0]);

/**
 * Makes a packet that ends an HEVC sequence, so that the next picture is decoded without a look at
 * those before it. Goes on with the last PES packet unless that one is `closed`.
 */
export function hevcEnd({ pid, counter }: PacketHead, isClosed: boolean): Buffer {
  const packet = Buffer.alloc(PACKET_BYTES, 0xff);
  const payload = isClosed
    ? Buffer.concat([BARE_PES_HEADER, HEVC_END_OF_SEQUENCE])
    : HEVC_END_OF_SEQUENCE;
  packet[0] = SYNC;
  packet.writeUInt16BE((isClosed ? 0x4000 : 0) | pid, 1);
  packet[3] = 0x30 | (counter & 0x0f);
  packet[4] = FIELD_BYTES - payload.length;
  packet[5] = 0;
  payload.copy(packet, PACKET_BYTES - payload.length);
  return packet;
}

function putEmpty({ bytes, at }: PacketPlace, { pid, counter }: PacketHead, flags: number): void {
  bytes.fill(0xff, at, at + PACKET_BYTES);
  bytes[at] = SYNC;
  bytes.writeUInt16BE(pid, at + 1);
  bytes[at + 3] = 0x20 | (counter & 0x0f);
  bytes[at + 4] = FIELD_BYTES;
  bytes[at + 5] = flags;
}
