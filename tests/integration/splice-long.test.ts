import { describe, expect, it } from 'vitest';
import { Splicer, TsAnalyser } from '#mpegts';
import { pesPackets, type Pes } from '../support/splice-check.ts';
import { spliceSource, type SourceSpec } from '../support/splice-media.ts';
import { randomNumbers, spliceStretches, type Stretch } from '../support/splice-rig.ts';
import { checkTs } from '../../scripts/faultd.d/ts-check.ts';
import {
  writePcr90k,
  writeTime90k,
  packetsOf,
  readPcr90k,
  readTime90k,
} from '../../scripts/faultd.d/ts-tools.ts';

const SPLICES = 1000;
const ONE: SourceSpec = { seconds: 4, gop: 5, fps: 25, kilobitsPerSecond: 200 };
const OTHER: SourceSpec = {
  ...ONE,
  fps: 50,
  bFrames: 2,
  picture: 'mandelbrot',
  toneHz: 700,
  clockS: 70_000,
  firstPid: 0x300,
  delayS: 0.2,
};

/** By the bytes of a picture or audio packet: when its source presents it. */
function timesOf(sources: readonly Buffer[]): ReadonlyMap<string, number> {
  const units = sources.flatMap((source) => pesPackets(source, tracksOf(source)));
  const counts = new Map<string, number>();
  for (const { hash } of units) counts.set(hash, (counts.get(hash) ?? 0) + 1);
  // A tone repeats itself; what has been sent twice tells no time.
  const unique = units.filter(({ hash }) => counts.get(hash) === 1);
  return new Map(unique.map(({ hash, pts90k }) => [hash, pts90k]));
}

function tracksOf(bytes: Buffer): ReadonlySet<number> {
  const analyser = new TsAnalyser();
  analyser.push([bytes]);
  return new Set(analyser.facts.program?.tracks.map(({ pid }) => pid));
}

function shortStretches(sources: readonly Buffer[], random: () => number): readonly Stretch[] {
  return Array.from({ length: SPLICES + 1 }, (_, index) => {
    const bytes = sources[index % 2]!;
    const from = index === 0 ? 0 : Math.floor(bytes.length * 0.6 * random());
    return { bytes, from, to: Math.floor(from + bytes.length * (0.15 + 0.2 * random())) };
  });
}

describe('a thousand splices', () => {
  it('keep audio and pictures together, and time going on', { timeout: 60_000 }, async () => {
    const sources = [await spliceSource(ONE), await spliceSource(OTHER)];
    const random = randomNumbers(4711);
    const { bytes } = spliceStretches(shortStretches(sources, random), random);
    const report = checkTs(bytes);
    expect(report.counterErrors).toEqual([]);
    expect(report.stepsBack).toEqual([]);
    expect(report.leaps).toEqual([]);
    const [video = 0, audio = 0] = [...tracksOf(bytes)];
    const shifts = shiftsOf(pesPackets(bytes, tracksOf(bytes)), timesOf(sources), video);
    expect(shifts.switches).toBeGreaterThan(SPLICES * 0.95);
    // Audio has been moved by as much as the pictures it came with: to the tick, each time.
    expect(shifts.audioPackets).toBeGreaterThan(SPLICES);
    expect(shifts.unequal).toEqual([]);
    expect(clockFaults(bytes, new Set([video, audio]))).toEqual([]);
  });
});

/** Compares how far pictures and audio of each stretch were moved from their sources' times. */
function shiftsOf(units: readonly Pes[], known: ReadonlyMap<string, number>, video: number) {
  let current: number | undefined;
  let switches = 0;
  let audioPackets = 0;
  const unequal: Pes[] = [];
  const pending: Pes[] = [];
  const shiftOf = (unit: Pes): number => mod(unit.pts90k - (known.get(unit.hash) ?? Number.NaN));
  for (const unit of units) {
    if (!known.has(unit.hash)) continue;
    if (unit.pid !== video) {
      pending.push(unit);
      continue;
    }
    const shift = shiftOf(unit);
    // Audio between two pictures belongs to one of them.
    const allowed = [current, shift];
    unequal.push(...pending.filter((audio) => !allowed.includes(shiftOf(audio))));
    audioPackets += pending.length;
    pending.length = 0;
    if (shift !== current) switches += 1;
    current = shift;
  }
  return { switches, audioPackets, unequal };
}

const mod = (ticks: number): number => ((ticks % 2 ** 33) + 2 ** 33) % 2 ** 33;

/** Pictures and audio packets that are due before the program clock says it is sent. */
function clockFaults(bytes: Buffer, pids: ReadonlySet<number>): readonly number[] {
  const faults: number[] = [];
  let pcr: number | undefined;
  for (const packet of packetsOf(bytes)) {
    if (packet.pcrOffset !== undefined) pcr = readPcr90k(bytes, packet.at + packet.pcrOffset);
    const timeAt = packet.dtsOffset ?? packet.ptsOffset;
    if (pcr === undefined || timeAt === undefined || !pids.has(packet.pid)) continue;
    const ahead = mod(readTime90k(bytes, packet.at + timeAt) - pcr);
    if (ahead >= 2 ** 32) faults.push(ahead - 2 ** 33);
  }
  return faults;
}

describe('one source whose time does not go on', () => {
  /** The file twice, as a looping source sends it. */
  it('is spliced where it begins again', async () => {
    const file = await spliceSource({ ...ONE, bFrames: 2 });
    const splicer = new Splicer();
    const out = [file, file, file].flatMap((bytes) => splicer.push([bytes]).map(copyOf));
    const report = checkTs(Buffer.concat(out));
    expect(report).toMatchObject({ stepsBack: [], leaps: [] });
    // Tables that come before the first picture have passed by the time one can tell.
    const tracks = tracksOf(file);
    expect(report.counterErrors.filter(({ pid }) => tracks.has(pid))).toEqual([]);
    expect(report.spanMs).toBeGreaterThan(11_500);
    expect(report.spanMs).toBeLessThan(12_100);
  });

  it('is spliced where it leaps ahead', async () => {
    const file = await spliceSource(ONE);
    const later = Buffer.from(file);
    for (const packet of packetsOf(later)) moveBy(later, packet, 90_000 * 3600);
    const splicer = new Splicer();
    const out = [file, later].flatMap((bytes) => splicer.push([bytes]).map(copyOf));
    expect(checkTs(Buffer.concat(out))).toMatchObject({ stepsBack: [], leaps: [] });
  });
});

const copyOf = (part: Buffer): Buffer => Buffer.from(part);

type Placed = ReturnType<typeof packetsOf> extends Generator<infer Packet> ? Packet : never;

function moveBy(bytes: Buffer, { at, pcrOffset, ptsOffset, dtsOffset }: Placed, by90k: number) {
  if (pcrOffset !== undefined) {
    writePcr90k(bytes, at + pcrOffset, readPcr90k(bytes, at + pcrOffset) + by90k);
  }
  for (const offset of [ptsOffset, dtsOffset]) {
    if (offset === undefined) continue;
    writeTime90k(bytes, at + offset, readTime90k(bytes, at + offset) + by90k);
  }
}

describe('a joiner', () => {
  it('gets tables and a keyframe, before a splice and after it', async () => {
    const sources = [await spliceSource(ONE), await spliceSource(OTHER)];
    const random = randomNumbers(99);
    const stretches = sources.map((bytes) => ({ bytes, from: 0, to: bytes.length }));
    const { bytes, joins, tables } = spliceStretches(stretches, random);
    expect(joins.length).toBeGreaterThan(30);
    for (const [index, offset] of joins.entries()) {
      const joined = Buffer.concat([tables[index]!, bytes.subarray(offset)]);
      const analyser = new TsAnalyser();
      analyser.push([joined.subarray(0, 188 * 800)]);
      // Two packets of tables, and a keyframe begins in the third.
      expect(analyser.keyframeStarts[0]).toBe(2);
      // Its tables are those before the stream's own.
      expect(analyser.facts.counterErrors).toBe(0);
    }
  });
});

describe('before anything breaks', () => {
  it('every byte passes in order, and what does not wait is not copied', async () => {
    const file = await spliceSource({ ...ONE, muxRate: '2M' });
    const splicer = new Splicer();
    const out: Buffer[] = [];
    let copied = 0;
    for (let at = 0; at < file.length; at += 188 * 340) {
      const parts = splicer.push([file.subarray(at, at + 188 * 340)]);
      out.push(...parts);
      for (const part of parts) if (part.buffer !== file.buffer) copied += part.length;
    }
    const passed = Buffer.concat([...out, ...splicer.switchSource()]);
    expect(passed.equals(file.subarray(0, passed.length))).toBe(true);
    expect(file.length - passed.length).toBeLessThan(40_000);
    expect(copied).toBeLessThan(file.length / 5);
  });
});
