import { expect, it } from 'vitest';
import { playbackRoutes } from '#api/routes/playback.routes';
import type { VodDelivery } from '#delivery';
import type { StreamSnapshot } from '#streams';
import { ClipStore } from '../../scripts/faultd.d/clips/clip-store.ts';
import { liveTs, startFakeProvider, status } from '../../scripts/faultd.d/fake-provider.ts';
import type { Cut } from '../../scripts/faultd.d/fake-provider.ts';
import { checkTs } from '../../scripts/faultd.d/ts-check.ts';
import { decodeFrames } from '../support/decoded-frames.ts';
import { startPlayback } from '../support/playback-bench.ts';
import { SOURCE_PAIRS } from '../support/proof-pairs.ts';
import { wholeUnitsOf } from '../support/splice-check.ts';
import { Viewer } from '../support/viewer.ts';

const SWITCHES = 20;
const JOINS_PER_SWITCH = 10;
const SPEED = 4;
/** Between two joins. */
const STEP_MEDIA_MS = 60;
/** Two hundred sockets and two hundred viewers live in one process. */
const PROCESS_SLACK_MS = 400;
/** PAT and PMT, which every joiner is sent first. */
const TABLES_BYTES = 2 * 188;
const PROBE_BYTES = 188 * 8;

const pathOf = (index: number): string => `/${index}.ts`;
const WAYS: readonly Cut[] = ['reset', 'eof', 'truncate', 'reset'];

/** So many sources, by turns two different ones, and a shared stream of them. */
async function startCrowd() {
  const clips = new ClipStore();
  const [pair] = SOURCE_PAIRS;
  const sources = [await clips.open(pair!.one), await clips.open(pair!.other)] as const;
  const paths = Array.from({ length: SWITCHES + 1 }, (_, index) => pathOf(index));
  const provider = await startFakeProvider(
    Object.fromEntries(
      paths.map((path, index) => [path, liveTs(sources[index % 2]!, { speed: SPEED })]),
    ),
  );
  const playback = await startPlayback({
    sharing: 'shared',
    outageLimitMs: 60_000,
    routes: (deps) => playbackRoutes({ ...deps, vod: {} as VodDelivery }),
  });
  const [primary = '', ...failoverUrls] = paths.map((path) => provider.url(path));
  const id = await playback.create(primary, { failoverUrls });
  const dispose = async (): Promise<void> => {
    await playback[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  };
  return {
    provider,
    playback,
    join: () => new Viewer(`${playback.base}/stream/${id}`),
    stepBytes: sources[0].bytesPerMs * STEP_MEDIA_MS,
    [Symbol.asyncDispose]: dispose,
  };
}

it(
  '200 viewers of a shared stream see the same bytes through 20 switches',
  { timeout: 60_000 },
  async () => {
    await using crowd = await startCrowd();
    await using first = await crowd.join().started();
    const others: Viewer[] = [];
    for (let round = 0; round < SWITCHES; round += 1) {
      for (let joined = 0; joined < JOINS_PER_SWITCH; joined += 1) {
        await first.more(crowd.stepBytes, 10_000);
        others.push(crowd.join());
      }
      crowd.provider.setFault(pathOf(round), status(404));
      crowd.provider.cut(pathOf(round), WAYS[round % WAYS.length]!);
      await crowd.provider.until(() => crowd.provider.open(pathOf(round + 1)) === 1, 10_000);
    }
    await first.more(crowd.stepBytes * JOINS_PER_SWITCH, 10_000);
    const [{ switches }] = crowd.playback.registry.list() as [StreamSnapshot];
    expect(crowd.provider.maxOpen()).toBe(1);
    const sourceGapMs = Math.max(...switches.map(({ gapMs }) => gapMs ?? 0));
    const all = first.body();
    for (const viewer of others) {
      expect(offsetIn(all, viewer.body())).toBeGreaterThanOrEqual(0);
      expect(viewer.largestGapMs).toBeLessThan(sourceGapMs + PROCESS_SLACK_MS);
      viewer.leave();
    }
    const whole = wholeUnitsOf(all);
    expect(checkTs(whole)).toMatchObject({ counterErrors: [], stepsBack: [], leaps: [] });
    const { complaints, tracks } = await decodeFrames(whole);
    expect(complaints).toBe('');
    expect(tracks.map(({ stepsBack }) => stepsBack)).toEqual([0, 0]);
  },
);

/** Where in the stream this viewer joined it; −1 when it was sent anything else since. */
function offsetIn(all: Buffer, body: Buffer): number {
  const sent = body.subarray(TABLES_BYTES);
  const from = all.indexOf(sent.subarray(0, PROBE_BYTES));
  const common = Math.min(sent.length, all.length - from);
  const isSame = from >= 0 && common > PROBE_BYTES;
  return isSame && sent.subarray(0, common).equals(all.subarray(from, from + common)) ? from : -1;
}
