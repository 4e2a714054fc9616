import { beforeAll, describe, expect, it } from 'vitest';
import { playbackRoutes } from '#api/routes/playback.routes';
import type { SlateSettings, Slates, VodDelivery } from '#delivery';
import type { Clip } from '#mpegts';
import { liveTs, startFakeProvider, status } from '../../scripts/faultd.d/fake-provider.ts';
import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../scripts/faultd.d/media.ts';
import { checkTs } from '../../scripts/faultd.d/ts-check.ts';
import { ALONE } from '../support/alone.ts';
import { startPlayback } from '../support/playback-bench.ts';
import { eventually } from '../support/processes.ts';
import { clipOf } from '../support/clip.ts';
import { builtInSlate, maxPcrGapMs, slatesOf } from '../support/slates.ts';
import { judge } from '../support/splice-check.ts';
import { wholeUnitsOf } from '../support/splice-check.ts';
import { spliceSource } from '../support/splice-media.ts';
import { Viewer } from '../support/viewer.ts';

const DEAD = status(503);
const ROUTES = ['/a.ts', '/b.ts'] as const;
let main: LoopedTs;
let radio: LoopedTs;
/** A second long, so that a test sees it begin again. */
let short: Clip;
let builtIn: Clip;

beforeAll(async () => {
  const made = await media();
  main = await LoopedTs.open(made.main, made.durationMs);
  radio = new LoopedTs(await spliceSource({ video: 'none', seconds: 6 }), 6000);
  short = clipOf(await spliceSource({ seconds: 1, picture: 'smptehdbars' }));
  builtIn = clipOf(await builtInSlate());
});

type Options = {
  readonly slate?: Partial<SlateSettings> & { readonly clip?: Clip };
  readonly sharing?: 'per-client' | 'shared';
  readonly source?: LoopedTs;
  readonly outageLimitMs?: number;
};

async function startLive({
  slate = {},
  sharing,
  source = main,
  outageLimitMs = 300,
}: Options = {}) {
  const provider = await startFakeProvider({
    '/a.ts': liveTs(source, { speed: 2 }),
    '/b.ts': liveTs(source, { speed: 2 }),
  });
  const { clip, ...settings } = { clip: short, ...slate };
  const playback = await startPlayback({
    ...(sharing === undefined ? {} : { sharing }),
    outageLimitMs,
    slate: {
      slates: slatesOf(clip),
      afterMs: 300,
      timeoutMs: 0,
      forNewViewers: false,
      ...settings,
    },
    routes: (deps) => playbackRoutes({ ...deps, vod: {} as VodDelivery }),
  });
  const id = await playback.create(provider.url('/a.ts'), {
    failoverUrls: [provider.url('/b.ts')],
  });
  const watch = (): Viewer => new Viewer(`${playback.base}/stream/${id}`);
  const die = (fault = DEAD): void => {
    for (const route of ROUTES) provider.setFault(route, fault);
    provider.cut('*', 'reset');
  };
  const comeBack = (): void => ROUTES.forEach((route) => provider.clearFault(route));
  const slateNow = (): string | null => playback.registry.list()[0]?.slate ?? null;
  const onSlate = (): Promise<void> => eventually('a slate is on', () => slateNow() !== null);
  const offSlate = (): Promise<void> =>
    eventually('no slate is on', () => slateNow() === null, 15_000);
  const dispose = async (): Promise<void> => {
    await playback[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  };
  const told = (type: string) => playback.state.events.filter(({ fact }) => fact.type === type);
  return {
    provider,
    playback,
    watch,
    die,
    comeBack,
    slateNow,
    onSlate,
    offSlate,
    told,
    [Symbol.asyncDispose]: dispose,
  };
}

/** Nothing in it that a decoder, a clock or a counter could see. */
async function expectFlawless(viewer: Viewer): Promise<void> {
  const whole = wholeUnitsOf(viewer.body());
  expect(checkTs(whole)).toMatchObject({ counterErrors: [], stepsBack: [], leaps: [] });
  const { errors, video, audio } = await judge(whole);
  expect(errors).toBe('');
  expect([video.stepsBack, audio.stepsBack]).toEqual([0, 0]);
  expect(video.maxStepS).toBeLessThan(0.2);
}

describe.concurrent('viewers of a live stream none of whose sources works any more', () => {
  it(
    'see one on the same timeline as fast as it is watched, and then their picture again',
    ALONE,
    async () => {
      await using live = await startLive();
      await using viewer = await live.watch().started();
      await viewer.more(188 * 1000);
      live.die();
      const diedMs = performance.now();
      await live.onSlate();
      expect(performance.now() - diedMs).toBeLessThan(1300);
      expect(live.slateNow()).toBe('channel_unavailable');
      await viewer.more(short.packets.length, 10_000); // What was missed has been made up for.
      const [from, sinceMs] = [viewer.bytes, performance.now()];
      // For longer than an outage may last: tries go on. The slate begins again three times.
      await viewer.more(short.packets.length * 3, 10_000);
      const tookMs = performance.now() - sinceMs;
      const slate = viewer.body().subarray(from - (from % 188), viewer.bytes);
      expect(checkTs(slate).spanMs / tookMs).toBeGreaterThan(0.9);
      expect(checkTs(slate).spanMs / tookMs).toBeLessThan(1.1);
      expect(maxPcrGapMs(slate)).toBeLessThanOrEqual(100);
      live.comeBack();
      await live.offSlate();
      await viewer.more(188 * 2000, 10_000);
      await expectFlawless(viewer);
      expect(live.told('slate_started')).toHaveLength(1);
      expect(live.told('slate_ended')).toHaveLength(1);
      expect(live.told('stream_failed')).toHaveLength(0);
    },
  );

  it('see one that is made for what they have seen', async () => {
    const prepared: unknown[] = [];
    const wanted: unknown[] = [];
    const slates: Slates = {
      prepare: (look) => void prepared.push(look),
      find(_trigger, look) {
        wanted.push(look);
        return short;
      },
    };
    await using live = await startLive({ slate: { slates }, source: radio });
    await using viewer = await live.watch().started();
    await viewer.more(188 * 100);
    live.die();
    await live.onSlate();
    const look = { video: undefined, audio: [{ codec: 'aac', samplesPerSecond: 48_000 }] };
    expect(prepared).toEqual([look]);
    expect(wanted.at(-1)).toEqual(look);
  });

  it('of a shared stream see the same, here the built-in one', async () => {
    await using live = await startLive({ sharing: 'shared', slate: { clip: builtIn } });
    await using first = await live.watch().started();
    await using second = await live.watch().started();
    await second.more(188 * 1000);
    live.die();
    await live.onSlate();
    await first.more(188 * 60, 10_000);
    live.comeBack();
    await live.offSlate();
    await Promise.all([first, second].map((viewer) => viewer.more(188 * 2000, 10_000)));
    for (const viewer of [first, second]) await expectFlawless(viewer);
    expect(live.told('slate_started')).toHaveLength(1);
  });

  it('see the one for a provider at its limit when that is what it answers', async () => {
    await using live = await startLive();
    await using viewer = await live.watch().started();
    await viewer.more(188 * 500);
    live.die(status(458));
    await live.onSlate();
    expect(live.slateNow()).toBe('provider_connections_exhausted');
    viewer.leave();
    await live.offSlate();
    const { told } = live.playback.state;
    expect(told.slice(-2)).toEqual(['client_disconnected', 'stream_stopped']);
    expect(told.slice(-4)).toContain('slate_ended');
  });

  it('see none when the next source takes over in a moment', ALONE, async () => {
    await using live = await startLive();
    await using viewer = await live.watch().started();
    await viewer.more(188 * 500);
    live.provider.setFault('/a.ts', DEAD);
    live.provider.cut('/a.ts', 'reset');
    await viewer.more(188 * 2000, 10_000);
    expect(live.told('slate_started')).toHaveLength(0);
  });

  it('are let go, visibly, after the time that a slate may last', async () => {
    await using live = await startLive({ slate: { timeoutMs: 700 } });
    await using viewer = await live.watch().started();
    await viewer.more(188 * 500);
    live.die();
    await live.onSlate();
    const sinceMs = performance.now();
    expect(await viewer.ended(5000)).toBe('broken');
    expect(performance.now() - sinceMs).toBeGreaterThan(500);
    expect(performance.now() - sinceMs).toBeLessThan(2000);
    expect(live.playback.state.told.slice(-4)).toEqual([
      'stream_failed',
      'slate_ended',
      'client_disconnected',
      'stream_stopped',
    ]);
  });

  it('are let go when the outage is too long, as ever, where there is no slate', async () => {
    await using live = await startLive({ slate: { slates: slatesOf(undefined) } });
    await using viewer = await live.watch().started();
    await viewer.more(188 * 500);
    live.die();
    expect(await viewer.ended(10_000)).toBe('broken');
    expect(live.told('slate_started')).toHaveLength(0);
  });

  it('of a radio station see a picture, and hear the station again', async () => {
    await using live = await startLive({ source: radio });
    await using viewer = await live.watch().started();
    await viewer.more(188 * 300);
    live.die();
    await live.onSlate();
    await viewer.more(short.packets.length, 10_000);
    live.comeBack();
    await live.offSlate();
    await viewer.more(188 * 300, 10_000);
    const report = checkTs(wholeUnitsOf(viewer.body()));
    expect(report).toMatchObject({ counterErrors: [], stepsBack: [] });
    expect(report.announced).toBeGreaterThan(0);
  });
});

describe.concurrent('a viewer that comes when no source works', () => {
  it('gets an error with a status', async () => {
    await using live = await startLive();
    live.die();
    await using viewer = await live.watch().started();
    expect(viewer.status).toBe(502);
  });

  it('gets one also where others see a slate', async () => {
    await using live = await startLive({ sharing: 'shared' });
    await using first = await live.watch().started();
    await first.more(188 * 500);
    live.die();
    await live.onSlate();
    await using second = await live.watch().started();
    expect(second.status).toBe(502);
    await first.more(short.packets.length, 10_000);
    expect(first.ending).toBeUndefined();
  });

  it('sees a slate where that is wanted, then the picture', async () => {
    await using live = await startLive({ slate: { forNewViewers: true } });
    live.die();
    await using viewer = await live.watch().started();
    expect(viewer.status).toBe(200);
    expect(viewer.headers['content-type']).toBe('video/mp2t');
    expect(viewer.headers['content-length']).toBeUndefined();
    await viewer.more(188 * 300, 10_000);
    live.comeBack();
    await live.offSlate();
    await viewer.more(188 * 1000, 10_000);
    await expectFlawless(viewer);
  });
});
