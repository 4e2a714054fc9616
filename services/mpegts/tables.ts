import { crc32 } from './crc32.ts';
import { PACKET_BYTES, PAYLOAD_BYTES, SYNC } from './packet.ts';
import type { Program } from './program.ts';

/** Cuts a section into packets, stuffed at the end; counters begin with 0. */
export function packetize(section: Buffer, pid: number): Buffer {
  const count = Math.ceil((section.length + 1) / PAYLOAD_BYTES);
  const packets = Buffer.alloc(count * PACKET_BYTES, 0xff);
  for (let index = 0; index < count; index += 1) {
    const at = index * PACKET_BYTES;
    const isFirst = index === 0;
    packets[at] = SYNC;
    packets.writeUInt16BE((isFirst ? 0x4000 : 0) | pid, at + 1);
    packets[at + 3] = 0x10 | (index & 0x0f);
    // The first payload byte of a first packet points to where the section begins.
    if (isFirst) packets[at + 4] = 0;
    const from = isFirst ? 0 : index * PAYLOAD_BYTES - 1;
    section.copy(packets, at + (isFirst ? 5 : 4), from, (index + 1) * PAYLOAD_BYTES - 1);
  }
  return packets;
}

/** The same packets with other counters: `last` is that of the last one, −1 stands for 15. */
export function countedUpTo(packets: Buffer, last: number): Buffer {
  const counted = Buffer.from(packets);
  for (let at = packets.length - PACKET_BYTES, counter = last; at >= 0; at -= PACKET_BYTES) {
    counted[at + 3] = ((counted[at + 3] ?? 0) & 0xf0) | (counter & 0x0f);
    counter -= 1;
  }
  return counted;
}

/** Makes the PAT section of a transport stream with one program. */
export function patSection(programNumber: number, pmtPid: number): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt16BE(programNumber, 0);
  body.writeUInt16BE(0xe000 | pmtPid, 2);
  return sectionOf({ tableId: 0, extension: 1, version: 0 }, body);
}

/** Makes the PMT section of a program. */
export function pmtSection(program: Program): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(0xe000 | program.pcrPid, 0);
  head.writeUInt16BE(0xf000 | program.descriptors.length, 2);
  const tracks = program.tracks.flatMap(({ streamType, pid, descriptors }) => {
    const track = Buffer.alloc(5);
    track[0] = streamType;
    track.writeUInt16BE(0xe000 | pid, 1);
    track.writeUInt16BE(0xf000 | descriptors.length, 3);
    return [track, descriptors];
  });
  const { programNumber, version } = program;
  const body = Buffer.concat([head, program.descriptors, ...tracks]);
  return sectionOf({ tableId: 2, extension: programNumber, version }, body);
}

type SectionHead = {
  readonly tableId: number;
  readonly extension: number;
  readonly version: number;
};

function sectionOf({ tableId, extension, version }: SectionHead, body: Buffer): Buffer {
  const bytes = Buffer.alloc(8 + body.length + 4);
  bytes[0] = tableId;
  bytes.writeUInt16BE(0xb000 | (bytes.length - 3), 1);
  bytes.writeUInt16BE(extension, 3);
  bytes[5] = 0xc1 | ((version & 0x1f) << 1);
  body.copy(bytes, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}
