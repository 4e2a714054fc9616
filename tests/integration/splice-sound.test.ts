import { beforeAll, describe, expect, it } from 'vitest';
import { Splicer, TsAnalyser } from '#mpegts';
import { packetsOf } from '../../scripts/faultd.d/ts-tools.ts';
import { ClipStore } from '../../scripts/faultd.d/clips/clip-store.ts';
import type { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { checkTs } from '../../scripts/faultd.d/ts-check.ts';
import { SOURCE_PAIRS } from '../support/proof-pairs.ts';
import { seamGaps } from '../support/seam-gaps.ts';
import { pesPackets } from '../support/splice-check.ts';
import { spliceSource, type SourceSpec } from '../support/splice-media.ts';
import { randomNumbers } from '../support/splice-rig.ts';

/** How long sound and pictures pause where one source follows another. */
const FRAME_S = 1024 / 48_000;
const CUTS = 24;

describe('where sources that match follow each other', () => {
  const clips = new ClipStore();
  const ALIKE = SOURCE_PAIRS.filter(({ isAlike }) => isAlike);

  beforeAll(async () => {
    for (const { one, other } of ALIKE) await Promise.all([clips.open(one), clips.open(other)]);
  }, 120_000);

  it.for(ALIKE.map((pair) => [pair.name, pair] as const))('%s: pauses', async ([, pair]) => {
    const { one, other } = pair;
    const sources = [await clips.open(one), await clips.open(other)] as const;
    const random = randomNumbers(4711);
    const gaps = Array.from({ length: CUTS }, (_, index) => {
      const [from, to] = index % 2 === 0 ? sources : [sources[1], sources[0]];
      return seamGaps(spliced([legOf(from, random), legOf(to, random)]));
    });
    const frameS = (one.audio === 'ac3' ? 1536 : 1152) / 48_000;
    expect(middle(gaps.map(({ audioS }) => audioS))).toBeLessThanOrEqual(frameS);
    // The most is what the cut has left of the old audio, and the new had sent before it was asked.
    expect(Math.max(...gaps.map(({ audioS }) => audioS))).toBeLessThan(0.4);
    const reordered = Math.max(one.bFrames, other.bFrames);
    const slowest = Math.min(one.fps, other.fps);
    const mostS = (reordered + 1) / slowest;
    expect(Math.max(...gaps.map(({ videoS }) => videoS))).toBeLessThanOrEqual(mostS);
  });
});

/** Sound far from the pictures that it is heard with, as broadcasts have it. */
describe('sound that comes long before or after its pictures', () => {
  const AWAY_S = 0.8;
  const ONE: SourceSpec = { seconds: 8, gop: 100, delayS: 2, singleFrames: true, muxRate: '1500k' };
  const OTHER: SourceSpec = { ...ONE, clockS: 5000, firstPid: 0x300, toneHz: 700, bFrames: 2 };

  it.for([
    ['late in both', AWAY_S, AWAY_S],
    ['early in both', -AWAY_S, -AWAY_S],
    ['late, then early', AWAY_S, -AWAY_S],
    ['early, then late', -AWAY_S, AWAY_S],
  ] as const)('%s goes on without a pause', async ([, first, second]) => {
    const one = withSoundMoved(await spliceSource(ONE), first);
    const other = withSoundMoved(await spliceSource(OTHER), second);
    const out = spliced([part(one, 0, 5.1), part(other, 1.2, 7)]);
    const { audioS, videoS } = seamGaps(out);
    expect(audioS).toBeLessThanOrEqual(FRAME_S);
    expect(videoS).toBeLessThanOrEqual(0.12);
    const { counterErrors, stepsBack } = checkTs(out);
    expect({ counterErrors, stepsBack }).toEqual({ counterErrors: [], stepsBack: [] });
    expectNoneTooLate(out);
  });
});

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

function spliced(legs: readonly Buffer[]): Buffer {
  const splicer = new Splicer();
  const out: Buffer[] = [];
  const take = (parts: readonly Buffer[]): void => {
    for (const bytes of parts) out.push(Buffer.from(bytes));
  };
  legs.forEach((leg, index) => {
    if (index > 0) take(splicer.switchSource());
    take(splicer.push([leg]));
  });
  return Buffer.concat(out);
}

const part = (bytes: Buffer, fromS: number, toS: number): Buffer => {
  const [from, to] = [fromS, toS].map((s) => Math.floor((bytes.length * s) / 8 / 188) * 188);
  return bytes.subarray(from, to);
};

/** Sends the packets of audio so much later, in the middle of others. */
function withSoundMoved(bytes: Buffer, seconds: number): Buffer {
  const analyser = new TsAnalyser();
  analyser.push([bytes]);
  const audio = analyser.facts.tracks.find(({ kind }) => kind === 'audio')?.pid;
  const moved = (bytes.length * seconds) / 8;
  const placed = [...packetsOf(bytes)].map(({ pid, at }) => ({
    at,
    place: at + (pid === audio ? moved : 0),
  }));
  const order = placed.toSorted((a, b) => a.place - b.place || a.at - b.at);
  return Buffer.concat(order.map(({ at }) => bytes.subarray(at, at + 188)));
}

function expectNoneTooLate(out: Buffer): void {
  const analyser = new TsAnalyser();
  analyser.push([out]);
  const pids = new Set(analyser.facts.tracks.map(({ pid }) => pid));
  const units = new Map(pesPackets(out, pids).map(({ at, dts90k }) => [at, dts90k]));
  let clock90k = 0;
  for (const { at, pcrOffset } of packetsOf(out)) {
    const due90k = units.get(at);
    if (due90k !== undefined) expect(due90k).toBeGreaterThanOrEqual(clock90k);
    if (pcrOffset !== undefined) clock90k = out.readUInt32BE(at + pcrOffset) * 2;
  }
}

/** Begins anywhere, as who is asked while it sends does. */
function legOf(source: LoopedTs, random: () => number): Buffer {
  const from = source.positionAt(source.durationMs * (1 + random()));
  return source.read(from, source.positionAt(1600 + 1000 * random()));
}
