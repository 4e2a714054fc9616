import { beforeAll, describe, expect, it } from 'vitest';
import { playbackRoutes } from '#api/routes/playback.routes';
import type { VodDelivery } from '#delivery';
import {
  eofAfter,
  liveTs,
  resetAfter,
  stallAfter,
  startFakeProvider,
  truncateAfter,
} from '../../scripts/faultd.d/fake-provider.ts';
import type { Fault } from '../../scripts/faultd.d/fake-provider.ts';
import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../scripts/faultd.d/media.ts';
import { startPlayback } from '../support/playback-bench.ts';
import { judge, wholeUnitsOf } from '../support/splice-check.ts';
import { checkTs } from '../../scripts/faultd.d/ts-check.ts';
import { packetsOf } from '../../scripts/faultd.d/ts-tools.ts';
import { Viewer } from '../support/viewer.ts';

const SPEED = 4;
/** FFmpeg's default. */
const PMT_PID = 0x1000;
const CUT_AFTER = 188 * 3000 + 77;
let main: LoopedTs;
let backups: Record<'same layout' | 'other PIDs', LoopedTs>;

beforeAll(async () => {
  const made = await media();
  main = await LoopedTs.open(made.main, made.durationMs);
  backups = {
    'same layout': await LoopedTs.open(made.other, made.durationMs),
    'other PIDs': await LoopedTs.open(made.shifted, made.durationMs),
  };
});

async function startLive(sharing: 'per-client' | 'shared', backup: LoopedTs) {
  const provider = await startFakeProvider({
    '/a.ts': liveTs(main, { speed: SPEED }),
    '/b.ts': liveTs(backup, { speed: SPEED }),
  });
  const playback = await startPlayback({
    sharing,
    stallMs: 300,
    routes: (deps) => playbackRoutes({ ...deps, vod: {} as VodDelivery }),
  });
  const id = await playback.create(provider.url('/a.ts'), {
    failoverUrls: [provider.url('/b.ts')],
  });
  const watch = (): Viewer => new Viewer(`${playback.base}/stream/${id}`);
  const dispose = async (): Promise<void> => {
    await playback[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  };
  return { provider, playback, watch, [Symbol.asyncDispose]: dispose };
}

const FAULTS: readonly (readonly [string, Fault])[] = [
  ['stalls', stallAfter(CUT_AFTER)],
  ['resets', resetAfter(CUT_AFTER)],
  ['ends', eofAfter(CUT_AFTER)],
  ['is cut off', truncateAfter(CUT_AFTER)],
];

describe.concurrent('a source that breaks', () => {
  it.each(FAULTS)(
    'and %s leaves no mark: no counter, no clock and no decoder sees the switch',
    async (_name, fault) => {
      await using live = await startLive('per-client', backups['same layout']);
      live.provider.setFault('/a.ts', fault);
      await using viewer = await live.watch().started();
      await live.provider.until(() => live.provider.requestsOf('/b.ts').length === 1, 10_000);
      await viewer.more(188 * 4000, 10_000);
      const body = viewer.body();
      const whole = wholeUnitsOf(body);
      expect(checkTs(whole)).toMatchObject({ counterErrors: [], stepsBack: [] });
      const { errors, video, audio } = await judge(whole);
      expect(errors).toBe('');
      expect([video.stepsBack, audio.stepsBack]).toEqual([0, 0]);
      expect(video.maxStepS).toBeLessThan(0.2);
    },
  );

  it('gives way to one with other PIDs, which viewers of a shared stream do not see', async () => {
    await using live = await startLive('shared', backups['other PIDs']);
    live.provider.setFault('/a.ts', eofAfter(CUT_AFTER));
    await using first = await live.watch().started();
    await first.more(188 * 500);
    await using second = await live.watch().started();
    await live.provider.until(() => live.provider.requestsOf('/b.ts').length === 1, 10_000);
    await first.more(188 * 4000, 10_000);
    for (const viewer of [first, second]) {
      const body = viewer.body();
      const whole = wholeUnitsOf(body);
      expect(checkTs(whole)).toMatchObject({ counterErrors: [], stepsBack: [] });
      expect((await judge(whole)).errors).toBe('');
    }
  });
});

describe.concurrent('a viewer that joins a shared stream', () => {
  it('begins with the tables and a keyframe: a picture at once', async () => {
    await using live = await startLive('shared', backups['same layout']);
    await using first = await live.watch().started();
    await first.more(188 * 2000);
    await using late = await live.watch().started();
    await late.more(188 * 300);
    const packets = [...packetsOf(late.body().subarray(0, 188 * 300))];
    const [pat, pmt, picture] = packets;
    expect([pat?.pid, pmt?.pid]).toEqual([0, PMT_PID]);
    expect(picture).toMatchObject({ startsUnit: true, randomAccess: true });
  });
});
