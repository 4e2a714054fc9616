import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { playbackRoutes } from '#api/routes/playback.routes';
import type { VodDelivery } from '#delivery';
import { ClipStore } from '../../scripts/faultd.d/clips/clip-store.ts';
import { checkTs } from '../../scripts/faultd.d/ts-check.ts';
import { decodeFrames, type TrackFrames } from '../support/decoded-frames.ts';
import { startPlayback, type Playback } from '../support/playback-bench.ts';
import { BREAKAGES, REFUSALS, type Breakage, type Refusal } from '../support/proof-faults.ts';
import { SOURCE_PAIRS, type SourcePair } from '../support/proof-pairs.ts';
import { watchThroughFaults } from '../support/proof-run.ts';
import { wholeUnitsOf } from '../support/splice-check.ts';

/** Every pair of sources, broken in every way, through the product's own delivery and sockets. */
type Case = readonly [name: string, pair: SourcePair, breakage: Breakage, refusal: Refusal];

const casesOf = (isAlike: boolean): readonly Case[] =>
  SOURCE_PAIRS.filter((pair) => pair.isAlike === isAlike).flatMap((pair, row) =>
    BREAKAGES.map((breakage, column) => {
      // Every pair meets every way to be refused too.
      const refusal = REFUSALS[(row + column) % REFUSALS.length]!;
      const name = `${pair.name}: a source that ${breakage.name}, then answers ${refusal.name}`;
      return [name, pair, breakage, refusal] as const;
    }),
  );

const clips = new ClipStore();
let playback: Playback;

beforeAll(async () => {
  playback = await startPlayback({
    stallMs: 600,
    headersMs: 500,
    outageLimitMs: 60_000,
    routes: (deps) => playbackRoutes({ ...deps, vod: {} as VodDelivery }),
  });
  for (const { one, other } of SOURCE_PAIRS) await Promise.all([clips.open(one), clips.open(other)]);
}, 120_000);
afterAll(() => playback[Symbol.asyncDispose]());

describe.concurrent('sources with the same codecs', () => {
  it.for(casesOf(true))('%s', async ([, pair, breakage, refusal]) => {
    const sent = await watchThroughFaults({ playback, clips, pair, breakage, refusal });
    const whole = wholeUnitsOf(sent);
    expect(checkTs(whole)).toMatchObject({
      counterErrors: [],
      stepsBack: [],
      leaps: [],
      announced: 0,
    });
    const { complaints, tracks } = await decodeFrames(whole);
    expect(complaints).toBe('');
    for (const track of tracks) expectGoesOn(track, pair);
  });
});

function expectGoesOn({ kind, stepsBack, maxStepS, lastS, firstS }: TrackFrames, pair: SourcePair) {
  expect({ kind, stepsBack }).toEqual({ kind, stepsBack: 0 });
  expect(lastS - firstS).toBeGreaterThan(3);
  const slowest = Math.min(pair.one.fps, pair.other.fps);
  const reordered = Math.max(pair.one.bFrames, pair.other.bFrames);
  expect({ kind, maxStepS }).toSatisfy(
    () => maxStepS < (kind === 'audio' ? 0.25 : (2.5 + 2 * reordered) / slowest),
  );
}
