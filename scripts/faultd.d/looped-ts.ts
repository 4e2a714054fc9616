import { readFile } from 'node:fs/promises';
import {
  NULL_PID,
  PACKET_BYTES,
  packetsOf,
  readPcr90k,
  readTime90k,
  writePcr90k,
  writeTime90k,
} from './ts-tools.ts';

/** What a PID carries, as far as faults tell them apart. */
export type Track = 'video' | 'audio';

const TICKS_PER_MS = 90;
const PAT_PID = 0;

/** One field of one packet that differs from loop to loop. */
type Patch = {
  readonly at: number;
  readonly kind: 'counter' | 'pcr' | 'time';
  /** The field's value in the first loop. */
  readonly base: number;
  /** How much it grows with each loop. */
  readonly step: number;
};

/**
 * A transport stream without end, made of a file: packet n is packet `n % packetsPerLoop` of the
 * file, with continuity counters, PCR, PTS and DTS carried on. What is read depends on the position
 * only, so any number of connections can read it, each wherever the clock says.
 */
export class LoopedTs {
  readonly durationMs: number;
  readonly packetsPerLoop: number;
  /** Packets of the file that begin a PAT with a keyframe behind it. */
  readonly starts: readonly number[];
  /** PIDs of sound and picture. */
  readonly tracks: ReadonlyMap<number, Track>;
  readonly #file: Buffer;
  readonly #patches: readonly (readonly Patch[])[];
  /** The same, each with the place of its packet. */
  readonly #placed: readonly { readonly patch: Patch; readonly target: number }[];

  constructor(file: Buffer, durationMs: number) {
    this.#file = file;
    this.durationMs = durationMs;
    this.packetsPerLoop = Math.floor(file.length / PACKET_BYTES);
    this.#patches = patchesOf(file, durationMs * TICKS_PER_MS);
    this.#placed = this.#patches.flatMap((patches, within) =>
      patches.map((patch) => ({ patch, target: within * PACKET_BYTES })),
    );
    this.starts = startsOf(file);
    this.tracks = tracksOf(file);
  }

  static async open(path: string, durationMs: number): Promise<LoopedTs> {
    return new LoopedTs(await readFile(path), durationMs);
  }

  get bytesPerMs(): number {
    return (this.packetsPerLoop * PACKET_BYTES) / this.durationMs;
  }

  /** The packet that is due when the stream has run for `elapsedMs`. */
  positionAt(elapsedMs: number): number {
    return Math.floor((elapsedMs / this.durationMs) * this.packetsPerLoop);
  }

  /** The last position not after `position` from which a decoder can begin. */
  startBefore(position: number): number {
    const loop = Math.floor(position / this.packetsPerLoop);
    const within = position % this.packetsPerLoop;
    const start = this.starts.findLast((candidate) => candidate <= within) ?? 0;
    return loop * this.packetsPerLoop + start;
  }

  /** A fresh copy of `count` packets from `position` on. */
  read(position: number, count: number): Buffer {
    const out = Buffer.allocUnsafe(count * PACKET_BYTES);
    for (let index = 0; index < count; index += 1) this.#copy(position + index, out, index);
    return out;
  }

  /**
   * Turns `out`, which holds any whole loop, into loop number `loop`: touches only what differs, so
   * that gigabytes a second cost little.
   */
  turn(out: Buffer, loop: number): void {
    for (const { patch, target } of this.#placed) apply(patch, loop, { out, target });
  }

  #copy(position: number, out: Buffer, index: number): void {
    const loop = Math.floor(position / this.packetsPerLoop);
    const within = position % this.packetsPerLoop;
    const target = index * PACKET_BYTES;
    const source = within * PACKET_BYTES;
    this.#file.copy(out, target, source, source + PACKET_BYTES);
    for (const patch of this.#patches[within] ?? []) apply(patch, loop, { out, target });
  }
}

function apply(patch: Patch, loop: number, { out, target }: { out: Buffer; target: number }): void {
  const at = target + patch.at;
  const value = patch.base + loop * patch.step;
  if (patch.kind === 'counter') out[at] = ((out[at] ?? 0) & 0xf0) | (value & 0x0f);
  else if (patch.kind === 'pcr') writePcr90k(out, at, value);
  else writeTime90k(out, at, value);
}

function patchesOf(file: Buffer, loop90k: number): Patch[][] {
  const packets = [...packetsOf(file)];
  const payloads = new Map<number, number>();
  const counters = packets.map(({ pid, hasPayload }) => {
    const seen = (payloads.get(pid) ?? 0) + (hasPayload ? 1 : 0);
    payloads.set(pid, seen);
    return seen + 0x0f;
  });
  return packets.map(({ pid, at, pcrOffset, ptsOffset, dtsOffset }, index) => {
    if (pid === NULL_PID) return [];
    const times = [ptsOffset, dtsOffset].filter((offset) => offset !== undefined);
    return [
      { at: 3, kind: 'counter', base: counters[index] ?? 0, step: payloads.get(pid) ?? 0 },
      ...(pcrOffset === undefined
        ? []
        : [
            {
              at: pcrOffset,
              kind: 'pcr' as const,
              base: readPcr90k(file, at + pcrOffset),
              step: loop90k,
            },
          ]),
      ...times.map((offset) => ({
        at: offset,
        kind: 'time' as const,
        base: readTime90k(file, at + offset),
        step: loop90k,
      })),
    ];
  });
}

/** A PAT counts as a start when the next picture after it is a keyframe. */
function startsOf(file: Buffer): number[] {
  const starts: number[] = [];
  let table: number | undefined;
  for (const { pid, at, startsUnit, randomAccess, pcrOffset } of packetsOf(file)) {
    // The latest one: ffmpeg repeats the PAT in the middle of pictures too.
    if (pid === PAT_PID) table = at / PACKET_BYTES;
    // ffmpeg puts a clock reference at every keyframe, and in the packets of video only.
    if (pcrOffset === undefined || !startsUnit) continue;
    if (randomAccess && table !== undefined) starts.push(table);
    table = undefined;
  }
  return starts;
}

/** By the stream id of the PES header (ISO/IEC 13818-1, table 2-22); AC-3 is private stream 1. */
function tracksOf(file: Buffer): Map<number, Track> {
  const tracks = new Map<number, Track>();
  for (const { pid, at, ptsOffset } of packetsOf(file)) {
    if (ptsOffset === undefined || tracks.has(pid)) continue;
    // The times come nine bytes into the header, the stream id three.
    const streamId = file[at + ptsOffset - 6] ?? 0;
    if ((streamId & 0xf0) === 0xe0) tracks.set(pid, 'video');
    else if ((streamId & 0xe0) === 0xc0 || streamId === 0xbd) tracks.set(pid, 'audio');
  }
  return tracks;
}
