import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { playbackRoutes } from '#api/routes/playback.routes';
import type { VodDelivery } from '#delivery';
import { ClipStore } from '../../scripts/faultd.d/clips/clip-store.ts';
import { startPlayback, type Playback } from '../support/playback-bench.ts';
import {
  BREAKAGES,
  DAMAGES,
  REFUSALS,
  type Breakage,
  type Refusal,
} from '../support/proof-faults.ts';
import { SOURCE_PAIRS, type SourcePair } from '../support/proof-pairs.ts';
import { watchThroughFaults, type Watched } from '../support/proof-run.ts';
import { breaksIn, scarsIn, seamsIn } from '../support/proof-verdict.ts';

/** Every pair of sources, broken in every way, through the product's own delivery and sockets. */
type Case = readonly [name: string, pair: SourcePair, breakage: Breakage, refusal: Refusal];

const cases = (pairs: readonly SourcePair[], breakages: readonly Breakage[]): readonly Case[] =>
  pairs.flatMap((pair, row) =>
    breakages.map((breakage, column) => {
      // Every pair meets every way to be refused too.
      const refusal = REFUSALS[(row + column) % REFUSALS.length]!;
      const name = `${pair.name}: a source that ${breakage.name}, then answers ${refusal.name}`;
      return [name, pair, breakage, refusal] as const;
    }),
  );

const ALIKE = SOURCE_PAIRS.filter(({ isAlike }) => isAlike);
const UNLIKE = SOURCE_PAIRS.filter(({ isAlike }) => !isAlike);
/** What a source does to its own stream depends on little else than the kinds of its tracks. */
const FEW = SOURCE_PAIRS.filter((_, index) => index % 7 === 0);

// They wait for streams most of the time.
vi.setConfig({ maxConcurrency: 16 });

const clips = new ClipStore();
let playback: Playback;

beforeAll(async () => {
  playback = await startPlayback({
    stallMs: 800,
    headersMs: 400,
    outageLimitMs: 60_000,
    routes: (deps) => playbackRoutes({ ...deps, vod: {} as VodDelivery }),
  });
  for (const { one, other } of SOURCE_PAIRS) {
    await Promise.all([clips.open(one), clips.open(other)]);
  }
}, 120_000);
afterAll(() => playback[Symbol.asyncDispose]());

const watched = ([, pair, breakage, refusal]: Case): Promise<Watched> =>
  watchThroughFaults({ playback, clips, pair, breakage, refusal });

describe.concurrent('playback goes on', () => {
  it.for(cases(ALIKE, BREAKAGES))('without a seam: %s', { timeout: 60_000 }, async (row) => {
    expect(await seamsIn(await watched(row), row[1])).toEqual([]);
  });

  it.for(cases(UNLIKE, BREAKAGES))('in one timeline: %s', { timeout: 60_000 }, async (row) => {
    expect(await breaksIn(await watched(row))).toEqual([]);
  });

  it.for(cases(FEW, DAMAGES))('behind the damage: %s', { timeout: 60_000 }, async (row) => {
    expect(await scarsIn(await watched(row))).toEqual([]);
  });
});
