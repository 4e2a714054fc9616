import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import {
  NULL_PID,
  PACKET_BYTES,
  packetsOf,
  readPacket,
  writePcr90k,
} from '../../scripts/faultd.d/ts-tools.ts';
import type { TsPacket } from '../../scripts/faultd.d/ts-tools.ts';

/** What is wrong with the packets of a source that goes on sending. */
export type Blemish =
  'clock stands' | 'packets damaged' | 'no sound' | 'scrambled' | 'page' | 'clip' | 'slow';

const CLIP_MS = 1500;
const SLOWED = 0.05;
const PAGE = Buffer.from('<!doctype html><p>Too many connections.</p>\n');

type Change = (packet: Buffer, facts: TsPacket, position: number) => void;

const CHANGES: Partial<Record<Blemish, Change>> = {
  'clock stands': (packet, { pcrOffset }) => {
    if (pcrOffset !== undefined) writePcr90k(packet, pcrOffset, 90_000);
  },
  'packets damaged': (packet, { pid }, position) => {
    if (pid !== 0 && position % 8 === 0) packet[1] = (packet[1] ?? 0) | 0x80;
  },
  // The tables of the tests' media are below, its pictures on the first PID of all.
  'no sound': (packet, { pid }) => {
    if (pid === AUDIO_PID) packet.writeUInt16BE(NULL_PID, 1);
  },
  scrambled: (packet, { pid }) => {
    if (pid === VIDEO_PID || pid === AUDIO_PID) packet[3] = (packet[3] ?? 0) | 0x80;
  },
};

/** FFmpeg's default. */
const VIDEO_PID = 0x100;
const AUDIO_PID = 0x101;

/** A source that is good until it is told otherwise. */
export class FaultyTs extends LoopedTs {
  #blemish: Blemish | undefined;
  #sinceMs = 0;
  #sincePosition: number | undefined;

  spoil(blemish: Blemish): void {
    this.#blemish = blemish;
  }

  override positionAt(elapsedMs: number): number {
    if (this.#blemish !== 'slow') this.#sinceMs = elapsedMs;
    return super.positionAt(this.#sinceMs + (elapsedMs - this.#sinceMs) * SLOWED);
  }

  override read(position: number, count: number): Buffer {
    if (this.#blemish === 'page') return Buffer.alloc(count * PACKET_BYTES, PAGE);
    if (this.#blemish === 'clip') return this.#readClip(position, count);
    const bytes = super.read(position, count);
    const change = CHANGES[this.#blemish ?? 'slow'];
    if (change === undefined) return bytes;
    for (const { at } of packetsOf(bytes)) {
      const packet = bytes.subarray(at, at + PACKET_BYTES);
      change(packet, readPacket(packet), position + at / PACKET_BYTES);
    }
    return bytes;
  }

  #readClip(position: number, count: number): Buffer {
    const from = (this.#sincePosition ??= position);
    const length = super.positionAt(CLIP_MS);
    const packets = Array.from({ length: count }, (_, index) =>
      super.read(from + ((position + index - from) % length), 1),
    );
    return Buffer.concat(packets);
  }
}

/** Bytes at the pace of a stream, and no transport stream. */
export class Radio extends LoopedTs {
  override read(_position: number, count: number): Buffer {
    return Buffer.alloc(count * PACKET_BYTES, 0xfb);
  }
}
