import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TsAnalyser } from '#mpegts';
import { decodeFrames } from '../support/decoded-frames.ts';
import { decodeErrors, frameTimes, pesPackets } from '../support/splice-check.ts';
import { spliceSource, type SourceSpec } from '../support/splice-media.ts';
import { randomNumbers, randomStretches, spliceStretches } from '../support/splice-rig.ts';
import { checkTs } from '../../scripts/faultd.d/ts-check.ts';

/** Real sources, spliced three times each wherever chance has it, read by ffmpeg. */
type Pair = readonly [name: string, one: SourceSpec, other: SourceSpec];

/** So that one is not the other: content, PIDs and a clock more than an hour away. */
const OTHER = {
  picture: 'mandelbrot',
  toneHz: 700,
  clockS: 5000,
  firstPid: 0x300,
} as const satisfies SourceSpec;

const alike = (name: string, spec: SourceSpec, difference: SourceSpec = {}): Pair => [
  name,
  spec,
  { ...spec, ...OTHER, ...difference },
];

/** PTS and DTS begin anew after 95 443.7 s. */
const NEAR_WRAP_S = 95_440;

const SAME_LAYOUT: readonly Pair[] = [
  alike('H.264 and AAC', {}),
  alike('H.264 with B pictures and AAC', { bFrames: 2 }),
  alike('H.264 and AC-3 at 50 Hz', { audio: ['ac3'], fps: 50 }),
  alike('H.264 with B pictures and MP2 at 30 Hz', { audio: ['mp2'], fps: 30, bFrames: 3 }),
  alike('HEVC and AAC', { video: 'hevc' }),
  alike('HEVC with open groups and AAC', { video: 'hevc', bFrames: 3, openGop: true }),
  alike('HEVC and AC-3 at 50 Hz', { video: 'hevc', audio: ['ac3'], fps: 50, bFrames: 2 }),
  alike('MPEG-2 and MP2', { video: 'mpeg2', audio: ['mp2'] }),
  alike('MPEG-2 with open groups and AC-3', {
    video: 'mpeg2',
    audio: ['ac3'],
    bFrames: 2,
    openGop: true,
  }),
  alike('MPEG-2 and AAC at 30 Hz', { video: 'mpeg2', fps: 30, bFrames: 2 }),
  alike('two AAC tracks', { audio: ['aac', 'aac'] }),
  alike('an AAC and an AC-3 track', { audio: ['aac', 'ac3'], bFrames: 2 }),
  alike('25 Hz and 50 Hz', { fps: 25 }, { fps: 50 }),
  alike(
    '30 Hz with B pictures and 25 Hz without',
    { fps: 30, bFrames: 2 },
    { fps: 25, bFrames: 0 },
  ),
  alike('the same PIDs', {}, { firstPid: 0x100 }),
  alike('a clock that wraps in one source', { clockS: NEAR_WRAP_S }),
  alike('a clock that wraps in the other', { bFrames: 2 }, { clockS: NEAR_WRAP_S }),
  alike('constant rates', { muxRate: '3M' }, { muxRate: '2M' }),
  alike('a clock nearer to decoding', { delayS: 0.7 }, { delayS: 0.1 }),
  alike('a clock farther from decoding', { delayS: 0.1 }, { delayS: 0.7, bFrames: 2 }),
  alike('AAC alone', { video: 'none' }),
  alike('MP2 alone', { video: 'none', audio: ['mp2'] }),
];

const OTHER_LAYOUT: readonly Pair[] = [
  alike('H.264 and HEVC', {}, { video: 'hevc' }),
  alike('MPEG-2 and H.264', { video: 'mpeg2' }, { video: 'h264', bFrames: 2 }),
  alike('AAC and AC-3', {}, { audio: ['ac3'] }),
  alike('one audio track and two', {}, { audio: ['aac', 'aac'] }),
  alike('pictures and audio alone', {}, { video: 'none' }),
];

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-splice-out-'));
  for (const [, one, other] of [...SAME_LAYOUT, ...OTHER_LAYOUT]) {
    await Promise.all([spliceSource(one), spliceSource(other)]);
  }
}, 180_000);
afterAll(() => rm(folder, { recursive: true }));

const STRETCHES = 4;

async function spliced([name, one, other]: Pair, seed: number) {
  const sources = [await spliceSource(one), await spliceSource(other)] as const;
  const random = randomNumbers(seed * 7919);
  const result = spliceStretches(randomStretches(sources, STRETCHES, random), random);
  const path = join(folder, `${name.replaceAll(/\W+/g, '-')}.ts`);
  await writeFile(path, result.bytes);
  const analyser = new TsAnalyser();
  analyser.push([result.bytes]);
  return { ...result, sources, path, facts: analyser.facts };
}

/** Pictures and audio packets are where they should be and whole, each as its source sent it. */
function expectWholePes(bytes: Buffer, sources: readonly Buffer[]): void {
  const known = new Set(sources.flatMap((source) => hashesOf(source)));
  const pids = tracksOf(bytes);
  const units = pesPackets(bytes, pids);
  expect(units.filter(({ isWhole }) => isWhole === false)).toEqual([]);
  // Audio packets beside a splice may hold fewer frames than the source sent; pictures never do.
  const [video] = [...videoOf(bytes)];
  const changed = units.slice(0, -2).filter(({ hash, pid }) => pid === video && !known.has(hash));
  expect(changed).toEqual([]);
}

const hashesOf = (bytes: Buffer): readonly string[] =>
  pesPackets(bytes, tracksOf(bytes)).map(({ hash }) => hash);

function tracksOf(bytes: Buffer, kind?: 'video'): ReadonlySet<number> {
  const analyser = new TsAnalyser();
  analyser.push([bytes.subarray(0, Math.floor(bytes.length / 188) * 188)]);
  const tracks = analyser.facts.program?.tracks ?? [];
  return new Set(tracks.filter((track) => !kind || track.kind === kind).map(({ pid }) => pid));
}

const videoOf = (bytes: Buffer): ReadonlySet<number> => tracksOf(bytes, 'video');

describe('sources with the same codecs become one stream', () => {
  it.for(SAME_LAYOUT.map((pair, index) => [pair[0], pair, index] as const))(
    '%s',
    async ([, pair, index]) => {
      const { bytes, sources, path, facts } = await spliced(pair, index + 1);
      const [, one, other] = pair;
      const report = checkTs(bytes);
      expect(report.counterErrors).toEqual([]);
      expect(report.stepsBack).toEqual([]);
      expect(report.leaps).toEqual([]);
      expect(report.announced).toBe(0);
      expect(facts.counterErrors).toBe(0);
      expectWholePes(bytes, sources);
      expect(await decodeErrors(path)).toBe('');
      const audio = await frameTimes(path, 'a:0');
      expect(audio).toMatchObject({ stepsBack: 0 });
      expect(audio.maxStepS).toBeLessThan(MAX_AUDIO_GAP_S);
      if (one.video === 'none') return;
      const video = await frameTimes(path, 'v:0');
      expect(video).toMatchObject({ stepsBack: 0 });
      const slowest = Math.min(one.fps ?? 25, other.fps ?? 25);
      const reordered = Math.max(one.bFrames ?? 0, other.bFrames ?? 0);
      expect(video.maxStepS).toBeLessThan((2.5 + 2 * reordered) / slowest);
    },
  );
});

/** As much as a multiplexer sends audio ahead of pictures, and a frame. */
const MAX_AUDIO_GAP_S = 0.25;

describe('sources with other codecs go on in one timeline', () => {
  it.for(OTHER_LAYOUT.map((pair, index) => [pair[0], pair, index] as const))(
    '%s',
    async ([, pair, index]) => {
      const { bytes, sources, path } = await spliced(pair, index + 101);
      const report = checkTs(bytes);
      expect(report.counterErrors).toEqual([]);
      expect(report.stepsBack).toEqual([]);
      expect(report.announced).toBeGreaterThanOrEqual(STRETCHES - 1);
      const versions = pmtVersions(bytes);
      expect(versions).toEqual([0, 1, 2, 3]);
      // Players go on that would begin again where the clock is on another PID.
      expect(clocksOf(bytes)).toMatchObject({ pids: [0x100] });
      expect(clocksOf(bytes).maxStepS).toBeLessThan(0.25);
      expect(sources).toHaveLength(2);
      // ffmpeg keeps to the tracks it saw first, and plays those on to the end.
      const audio = await frameTimes(path, 'a:0');
      expect(audio.count).toBeGreaterThan(100);
      expect(audio.stepsBack).toBe(0);
    },
  );
});

describe('H.264 whose groups are all open', () => {
  const pair = alike('H.264 with open groups', { bFrames: 2, openGop: true });

  it('goes on in one timeline, though pictures may refer to what is gone', async () => {
    const { bytes, path } = await spliced(pair, 201);
    expect(checkTs(bytes)).toMatchObject({ counterErrors: [], stepsBack: [], leaps: [] });
    const video = await frameTimes(path, 'v:0');
    expect(video.count).toBeGreaterThan(150);
    expect(video.stepsBack).toBeLessThan(STRETCHES);
    expect(video.maxStepS).toBeLessThan(0.6);
    // What a decoder says that begins with this keyframe of the source by itself.
    const { complaints } = await decodeFrames(bytes, { isLenient: true });
    const others = complaints
      .split('\n')
      .filter((line) => !/^$|mmco: unref short failure|message repeated \d times/.test(line));
    expect(others).toEqual([]);
  });
});

/** Where PMTs say that the clock is, and its longest step. */
function clocksOf(bytes: Buffer) {
  const analyser = new TsAnalyser();
  const pids = new Set<number>();
  const clocks: number[] = [];
  for (let at = 0; at < bytes.length; at += 188) {
    analyser.push([bytes.subarray(at, at + 188)]);
    const { program, pcr27m = 0 } = analyser.facts;
    if (program !== undefined) pids.add(program.pcrPid);
    if (pcr27m > (clocks.at(-1) ?? 0)) clocks.push(pcr27m);
  }
  const steps = clocks.slice(1).map((clock, index) => clock - (clocks[index] ?? 0));
  return { pids: [...pids], maxStepS: Math.max(...steps) / 27_000_000 };
}

/** The versions of the PMT in the order in which they come. */
function pmtVersions(bytes: Buffer): readonly number[] {
  const analyser = new TsAnalyser();
  const versions: number[] = [];
  for (let at = 0; at < bytes.length; at += 188) {
    analyser.push([bytes.subarray(at, at + 188)]);
    const version = analyser.facts.program?.version;
    if (version !== undefined && version !== versions.at(-1)) versions.push(version);
  }
  return versions;
}
