import { boxesIn } from './box.ts';
import type { Box } from './box.ts';
import type { MediaInit, SampleDefaults } from './media-init.ts';

/** Samples of one track that lie side by side. */
export type TrackRunData = {
  /** Where, in the bytes of the `traf`, the place of the data is written. */
  readonly offsetAt: number;
  /** Where the data lies, counted from the first byte of the `moof`. */
  readonly dataAt: number;
  readonly dataBytes: number;
};

/** One `traf` (ISO/IEC 14496-12 §8.8.6). */
export type Traf = {
  readonly trackId: number;
  readonly bytes: Buffer;
  readonly startTicks: number;
  readonly durationTicks: number;
  readonly samples: number;
  readonly isSync: boolean;
  readonly runs: readonly TrackRunData[];
};

/** `tfhd`: §8.8.7; `trun`: §8.8.8. */
const TFHD = { baseOffset: 0x1, index: 0x2, duration: 0x8, size: 0x10, flags: 0x20 } as const;
const TRUN = {
  offset: 0x1,
  firstFlags: 0x4,
  duration: 0x100,
  size: 0x200,
  flags: 0x400,
  time: 0x800,
};
const NON_SYNC = 0x1_0000;
const NO_DEFAULTS: SampleDefaults = { durationTicks: 0, bytes: 0, flags: 0 };

/** Undefined for one whose data is not placed by its `moof`: FFmpeg is told to write it so. */
export function readTraf(traf: Box, init: MediaInit): Traf | undefined {
  const boxes = boxesIn(traf.body);
  const tfhd = boxes.find(({ type }) => type === 'tfhd')?.body;
  if (tfhd === undefined || (flagsOf(tfhd) & TFHD.baseOffset) !== 0) return undefined;
  const trackId = tfhd.readUInt32BE(4);
  const track = init.tracks.find(({ id }) => id === trackId);
  const defaults = defaultsIn(tfhd, track?.defaults ?? NO_DEFAULTS);
  const runs = boxes
    .filter(({ type }) => type === 'trun')
    .map((trun) => readTrun(trun, defaults, trun.bytes.byteOffset - traf.bytes.byteOffset));
  const [first] = runs;
  if (first === undefined || !runs.every(({ isPlaced }) => isPlaced)) return undefined;
  return {
    trackId,
    bytes: traf.bytes,
    startTicks: startIn(boxes.find(({ type }) => type === 'tfdt')?.body),
    durationTicks: runs.reduce((sum, run) => sum + run.durationTicks, 0),
    samples: runs.reduce((sum, run) => sum + run.samples, 0),
    isSync: (first.firstFlags & NON_SYNC) === 0,
    runs,
  };
}

const flagsOf = (body: Buffer): number => body.readUInt32BE(0) & 0xff_ffff;

function startIn(tfdt: Buffer | undefined): number {
  if (tfdt === undefined) return 0;
  return tfdt[0] === 1 ? Number(tfdt.readBigUInt64BE(4)) : tfdt.readUInt32BE(4);
}

function defaultsIn(tfhd: Buffer, track: SampleDefaults): SampleDefaults {
  const flags = flagsOf(tfhd);
  const reader = new Words(tfhd, 8);
  if ((flags & TFHD.index) !== 0) reader.next();
  const or = (flag: number, otherwise: number): number =>
    (flags & flag) === 0 ? otherwise : reader.next();
  return {
    durationTicks: or(TFHD.duration, track.durationTicks),
    bytes: or(TFHD.size, track.bytes),
    flags: or(TFHD.flags, track.flags),
  };
}

function readTrun({ body }: Box, defaults: SampleDefaults, at: number) {
  const flags = flagsOf(body);
  const isPlaced = (flags & TRUN.offset) !== 0;
  const samples = body.readUInt32BE(4);
  const reader = new Words(body, 8);
  const given = (flag: number): number | undefined =>
    (flags & flag) === 0 ? undefined : reader.next();
  const dataAt = given(TRUN.offset) ?? 0;
  const first = given(TRUN.firstFlags);
  let durationTicks = 0;
  let dataBytes = 0;
  let firstFlags = first;
  for (let sample = 0; sample < samples; sample += 1) {
    durationTicks += given(TRUN.duration) ?? defaults.durationTicks;
    dataBytes += given(TRUN.size) ?? defaults.bytes;
    const own = given(TRUN.flags);
    firstFlags ??= own ?? defaults.flags;
    given(TRUN.time);
  }
  // The box's head, then flags and count, then the place of the data.
  const offsetAt = at + 16;
  return {
    isPlaced,
    offsetAt,
    dataAt,
    dataBytes,
    durationTicks,
    samples,
    firstFlags: firstFlags ?? 0,
  };
}

/** Words of 32 bits, one after the other; 0 behind the last. */
class Words {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, from: number) {
    this.#bytes = bytes;
    this.#at = from;
  }

  next(): number {
    const at = this.#at;
    this.#at += 4;
    return at + 4 <= this.#bytes.length ? this.#bytes.readUInt32BE(at) : 0;
  }
}
