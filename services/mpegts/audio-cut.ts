import { AUDIO_HEADER_BYTES, audioFrameAt, hasAudioFrames, samples90k } from './audio-frames.ts';
import type { Codec } from './codec.ts';
import { PACKET_BYTES, SYNC } from './packet.ts';
import type { PacketView } from './packet.ts';
import type { PesHeader } from './pes-header.ts';
import { ahead90k, wrap90k, writeTime90k } from './timestamps.ts';

/** No PES packet of audio is longer (its length has 16 bits). */
const MAX_UNIT_BYTES = 65_536;
/** Times are rounded to a tick here and there; a millisecond is no overlap. */
const TOLERANCE_90K = 90;
const HEADER_BYTES = 14;
const PAYLOAD_BYTES = PACKET_BYTES - 4;

/** Audio frames, whole, with the time of the first. */
export type AudioPiece = {
  readonly streamId: number;
  readonly pts90k: number;
  readonly data: Buffer;
};

/** Collects one PES packet of audio that cannot be sent as it is, to send the frames that can. */
export class AudioCut {
  readonly #codec: Codec;
  readonly #streamId: number;
  readonly #pts90k: number;
  readonly #totalBytes: number;
  readonly #parts: Buffer[];
  #gotBytes: number;

  private constructor(codec: Codec, view: PacketView, pes: PesHeader) {
    this.#codec = codec;
    this.#streamId = view.bytes[view.payloadAt + 3] ?? 0;
    this.#pts90k = pes.pts90k;
    this.#totalBytes = pes.totalBytes;
    this.#parts = [Buffer.from(view.bytes.subarray(pes.dataAt, view.end))];
    this.#gotBytes = view.payloadBytes;
  }

  /** Begins with the packet that starts the unit; undefined when it cannot be cut. */
  static begin(codec: Codec, view: PacketView, pes: PesHeader): AudioCut | undefined {
    const canCut = hasAudioFrames(codec) && pes.pts90k >= 0 && !view.isScrambled;
    return canCut ? new AudioCut(codec, view, pes) : undefined;
  }

  /** What has come of it. */
  get bytes(): number {
    return this.#gotBytes;
  }

  /** The PES packet has come whole. */
  get isWhole(): boolean {
    return this.#totalBytes > 0 && this.#gotBytes >= this.#totalBytes;
  }

  add(view: PacketView): void {
    if (!view.hasPayload || this.#gotBytes > MAX_UNIT_BYTES) return;
    this.#parts.push(Buffer.from(view.bytes.subarray(view.payloadAt, view.end)));
    this.#gotBytes += view.payloadBytes;
  }

  /**
   * The whole frames that begin at `from90k` or later; undefined when there are none.
   * @param from90k - In the time of the PES packet; without it all whole frames.
   */
  piece(from90k?: number): AudioPiece | undefined {
    const data = Buffer.concat(this.#parts);
    let start: { at: number; pts90k: number } | undefined;
    let at = 0;
    let samples = 0;
    while (at + AUDIO_HEADER_BYTES <= data.length) {
      const frame = audioFrameAt(this.#codec, data, at);
      if (frame === undefined || at + frame.sizeBytes > data.length) break;
      const pts90k = wrap90k(this.#pts90k + samples90k(samples, frame.samplesPerSecond));
      if (from90k === undefined || ahead90k(pts90k, from90k) >= -TOLERANCE_90K) {
        start ??= { at, pts90k };
      }
      samples += frame.samples;
      at += frame.sizeBytes;
    }
    if (start === undefined) return undefined;
    const { pts90k } = start;
    return { streamId: this.#streamId, pts90k, data: data.subarray(start.at, at) };
  }
}

/** Makes the packets of one PES packet; `counter` is that of the first. */
export function packetizeAudio(piece: AudioPiece, pid: number, counter: number): Buffer {
  const pes = Buffer.concat([pesHeader(piece), piece.data]);
  const count = Math.ceil(pes.length / PAYLOAD_BYTES);
  const packets = Buffer.alloc(count * PACKET_BYTES, 0xff);
  for (let index = 0; index < count; index += 1) {
    const at = index * PACKET_BYTES;
    const payload = pes.subarray(index * PAYLOAD_BYTES, (index + 1) * PAYLOAD_BYTES);
    const stuffing = PAYLOAD_BYTES - payload.length;
    packets[at] = SYNC;
    packets.writeUInt16BE((index === 0 ? 0x4000 : 0) | pid, at + 1);
    packets[at + 3] = (stuffing > 0 ? 0x30 : 0x10) | ((counter + index) & 0x0f);
    if (stuffing > 0) packets[at + 4] = stuffing - 1;
    if (stuffing > 1) packets[at + 5] = 0;
    payload.copy(packets, at + PACKET_BYTES - payload.length);
  }
  return packets;
}

function pesHeader({ streamId, pts90k, data }: AudioPiece): Buffer {
  const header = Buffer.from([0, 0, 1, streamId, 0, 0, 0x84, 0x80, 5, 0x20, 0, 0, 0, 0]);
  header.writeUInt16BE(HEADER_BYTES - 6 + data.length, 4);
  writeTime90k(header, 9, pts90k);
  return header;
}
