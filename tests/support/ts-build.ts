import { packetize, patSection, pmtSection } from '../../services/mpegts/tables.ts';
import type { Program } from '#mpegts';
import { writePcr90k, writeTime90k } from '../../scripts/faultd.d/ts-tools.ts';

const PACKET_BYTES = 188;
export const PMT_PID = 0x1000;
export const VIDEO_PID = 0x100;
export const AUDIO_PID = 0x101;

/** H.264: parameter sets and an IDR slice, and a slice that refers to others. */
export const H264_KEY = Buffer.from('00000001674d0000000168ee00000001658880', 'hex');
export const H264_PLAIN = Buffer.from('0000000109f000000001419a00', 'hex');

export type PacketSpec = {
  readonly pid: number;
  readonly counter?: number;
  readonly starts?: boolean;
  readonly payload?: Buffer;
  readonly pcr90k?: number;
  readonly randomAccess?: boolean;
  readonly discontinuity?: boolean;
  readonly scrambled?: boolean;
  readonly damaged?: boolean;
};

/** One packet; a payload shorter than the packet is stuffed. */
export function packet(spec: PacketSpec): Buffer {
  const { pid, counter = 0, payload = Buffer.alloc(0), pcr90k } = spec;
  const bytes = Buffer.alloc(PACKET_BYTES, 0xff);
  const flags =
    (spec.discontinuity ? 0x80 : 0) |
    (spec.randomAccess ? 0x40 : 0) |
    (pcr90k === undefined ? 0 : 0x10);
  const room = PACKET_BYTES - 4 - payload.length;
  bytes[0] = 0x47;
  bytes.writeUInt16BE((spec.damaged ? 0x8000 : 0) | (spec.starts ? 0x4000 : 0) | pid, 1);
  const control = (room > 0 ? 0x20 : 0) | (payload.length > 0 ? 0x10 : 0);
  bytes[3] = (spec.scrambled ? 0x80 : 0) | control | (counter & 0x0f);
  if (room > 0) bytes[4] = room - 1;
  if (room > 1) bytes[5] = flags;
  if (pcr90k !== undefined) {
    bytes.fill(0, 6, 12);
    writePcr90k(bytes, 6, pcr90k);
  }
  payload.copy(bytes, PACKET_BYTES - payload.length);
  return bytes;
}

export type PesSpec = {
  readonly pts90k: number;
  readonly dts90k?: number;
  readonly data: Buffer;
  readonly streamId?: number;
  /** Says how long it is. */
  readonly isSized?: boolean;
};

export function pes({ pts90k, dts90k, data, streamId = 0xe0, isSized = false }: PesSpec): Buffer {
  const times = dts90k === undefined ? 5 : 10;
  const header = Buffer.alloc(9 + times);
  header.set([0, 0, 1, streamId, 0, 0, 0x80, dts90k === undefined ? 0x80 : 0xc0, times]);
  header[9] = dts90k === undefined ? 0x20 : 0x30;
  writeTime90k(header, 9, pts90k);
  if (dts90k !== undefined) {
    header[14] = 0x10;
    writeTime90k(header, 14, dts90k);
  }
  if (isSized) header.writeUInt16BE(header.length - 6 + data.length, 4);
  return Buffer.concat([header, data]);
}

export const PROGRAM: Program = {
  programNumber: 1,
  pmtPid: PMT_PID,
  version: 0,
  pcrPid: VIDEO_PID,
  descriptors: Buffer.alloc(0),
  tracks: [
    {
      pid: VIDEO_PID,
      streamType: 0x1b,
      kind: 'video',
      codec: 'h264',
      descriptors: Buffer.alloc(0),
    },
    { pid: AUDIO_PID, streamType: 0x0f, kind: 'audio', codec: 'aac', descriptors: Buffer.alloc(0) },
  ],
};

/** Writes a transport stream packet by packet, with counters that go on. */
export class TsBuilder {
  readonly #packets: Buffer[] = [];
  readonly #counters = new Map<number, number>();

  get bytes(): Buffer {
    return Buffer.concat(this.#packets);
  }

  tables(program: Program = PROGRAM): this {
    this.section(0, patSection(program.programNumber, program.pmtPid));
    return this.section(program.pmtPid, pmtSection(program));
  }

  section(pid: number, section: Buffer): this {
    const packets = packetize(section, pid);
    for (let at = 0; at < packets.length; at += PACKET_BYTES) {
      const bytes = packets.subarray(at, at + PACKET_BYTES);
      bytes[3] = ((bytes[3] ?? 0) & 0xf0) | this.#next(pid);
      this.#packets.push(bytes);
    }
    return this;
  }

  /** One PES packet, in as many packets as it needs. */
  unit(pid: number, unit: Buffer, first: Partial<PacketSpec> = {}): this {
    const roomOfFirst = first.pcr90k === undefined ? (first.randomAccess ? 182 : 184) : 176;
    for (let from = 0; from < unit.length;) {
      const room = from === 0 ? roomOfFirst : 184;
      const payload = unit.subarray(from, from + room);
      const head = from === 0 ? { starts: true, ...first } : {};
      this.packet({ pid, payload, ...head });
      from += room;
    }
    return this;
  }

  packet(spec: PacketSpec): this {
    const counts = spec.payload !== undefined && spec.payload.length > 0;
    const last = this.#counters.get(spec.pid) ?? 0x0f;
    this.#packets.push(packet({ counter: counts ? this.#next(spec.pid) : last, ...spec }));
    return this;
  }

  #next(pid: number): number {
    const counter = ((this.#counters.get(pid) ?? 0x0f) + 1) & 0x0f;
    this.#counters.set(pid, counter);
    return counter;
  }
}

const FRAME_90K = 3600;

/** H.264 pictures at 25 Hz and an ADTS frame with each; a keyframe every `gop` pictures. */
export function simpleStream({
  pictures = 20,
  gop = 5,
  firstPts90k = 90_000,
  marks = true,
  videoPid = VIDEO_PID,
  audioPid = AUDIO_PID,
} = {}): Buffer {
  const builder = new TsBuilder();
  const pids = [videoPid, audioPid];
  const tracks = PROGRAM.tracks.map((track, index) => ({ ...track, pid: pids[index] ?? 0 }));
  const program = { ...PROGRAM, pcrPid: videoPid, tracks };
  for (let index = 0; index < pictures; index += 1) {
    const isKey = index % gop === 0;
    const pts90k = firstPts90k + index * FRAME_90K;
    const data = Buffer.concat([isKey ? H264_KEY : H264_PLAIN, Buffer.alloc(600, index + 1)]);
    if (isKey) builder.tables(program);
    builder.unit(videoPid, pes({ pts90k, data }), {
      pcr90k: pts90k - 9000,
      randomAccess: marks && isKey,
    });
    const audio = pes({ pts90k, data: adtsFrame(200, index), streamId: 0xc0, isSized: true });
    builder.unit(audioPid, audio);
  }
  return builder.bytes;
}

/** An ADTS frame of 1024 samples at 48 kHz. */
export function adtsFrame(sizeBytes: number, content: number): Buffer {
  const frame = Buffer.alloc(sizeBytes, content);
  frame.set([
    0xff,
    0xf1,
    0x4c,
    0x80 | (sizeBytes >> 11),
    (sizeBytes >> 3) & 0xff,
    ((sizeBytes & 7) << 5) | 0x1f,
    0xfc,
  ]);
  return frame;
}
