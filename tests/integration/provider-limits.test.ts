import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { playbackRoutes } from '#api/routes/playback.routes';
import { VodDelivery } from '#delivery';
import { systemClock, systemTimers } from '#kernel/clock';
import { silentLogger } from '#kernel/logger';
import { ConnectionLedger, SpareLedger } from '#upstream';
import {
  file,
  hlsLive,
  liveTs,
  redirect,
  stallAfter,
  startFakeProvider,
  times,
} from '../../scripts/faultd.d/fake-provider.ts';
import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../scripts/faultd.d/media.ts';
import { startPlayback } from '../support/playback-bench.ts';
import type { PlaybackOptions } from '../support/playback-bench.ts';
import { eventually } from '../support/processes.ts';
import { clipOf } from '../support/clip.ts';
import { slatesOf } from '../support/slates.ts';
import { spliceSource } from '../support/splice-media.ts';
import { Viewer } from '../support/viewer.ts';

const REFUSED = 458;
const LINGER_MS = 4000;
let source: LoopedTs;
let film: string;

beforeAll(async () => {
  const { main, durationMs } = await media();
  film = main;
  source = await LoopedTs.open(main, durationMs);
});

/** Accounts `al` and `bo` of one provider, each with so many connections. */
async function start(connections: number, options: Omit<PlaybackOptions, 'routes'> = {}) {
  const member = { connections, answer: REFUSED, releaseMs: 0 };
  const provider = await startFakeProvider(
    {
      '/1.ts': liveTs(source),
      '/2.ts': liveTs(source),
      '/away.ts': redirect('/elsewhere/2.ts'),
      '/elsewhere/2.ts': liveTs(source),
      '/film.mp4': file(film),
      '/h/': hlsLive(source),
    },
    {
      accounts: {
        naming: { path: '/live/:account/:password' },
        members: { al: member, bo: member },
        strangers: undefined,
      },
    },
  );
  const allowance = new ConnectionLedger({ timers: systemTimers });
  const playback = await startPlayback({
    stallMs: 4000,
    permits: new SpareLedger(systemClock),
    allowance,
    ...options,
    routes: ({ upstream, ...deps }) => {
      const common = { clock: systemClock, timers: systemTimers, logger: silentLogger };
      const timeouts = { connectMs: 1000, headersMs: 1000 };
      const vod = new VodDelivery({ ...common, upstream, timeouts, readTimeoutMs: 2000 });
      return playbackRoutes({ ...deps, vod });
    },
  });
  const viewers: Viewer[] = [];
  const watch = (id: string): Viewer => {
    const viewer = new Viewer(`${playback.base}/stream/${id}`);
    viewers.push(viewer);
    return viewer;
  };
  const at = (path: string, account = 'al'): string => provider.url(`/live/${account}/pw/${path}`);
  const create = (path: string, backups: readonly string[] = []): Promise<string> =>
    playback.create(at(path), { failoverUrls: backups, maxConnections: connections });
  /** The most that was ever wanted at once of an account, and what it holds now. */
  const counted = (account = 'al') => {
    const { max_wanted: most = 0, open = 0 } = provider.counts.accounts[account] ?? {};
    return { most, open };
  };
  const dispose = async (): Promise<void> => {
    for (const viewer of viewers) viewer.leave();
    await eventually('no place is held', () => counted().open === 0);
    await eventually('the ledger knows', () => allowance.held().length === 0);
    expect(counted().most).toBeLessThanOrEqual(connections);
    await playback[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  };
  return {
    provider,
    playback,
    allowance,
    watch,
    at,
    create,
    counted,
    [Symbol.asyncDispose]: dispose,
  };
}

const problemOf = async (viewer: Viewer) => {
  await viewer.ended();
  const { code } = JSON.parse(viewer.body().toString('utf8')) as { code: string };
  return { status: viewer.status, code, retryAfter: viewer.headers['retry-after'] };
};

const FULL = { status: 503, code: 'PROVIDER_AT_CAPACITY', retryAfter: '5' };
const SECOND = 100_000;

describe.concurrent('an account of one connection', () => {
  it('gives three viewers of live one picture, and the others an answer at once', async () => {
    await using live = await start(1);
    const id = await live.create('1.ts');
    const first = await live.watch(id).started();
    const startedMs = performance.now();
    const others = await Promise.all([live.watch(id), live.watch(id)].map(problemOf));
    expect(others).toEqual([FULL, FULL]);
    expect(performance.now() - startedMs).toBeLessThan(8000);
    await first.more(SECOND);
    expect(live.counted()).toEqual({ most: 1, open: 1 });
  });

  it.each([
    ['the new channel is asked for before the old one is left', 250],
    ['the old channel is left at the same time', 0],
    ['the old channel is left first', -100],
  ])('can be zapped with: %s', async (_name, overlapMs) => {
    await using live = await start(1);
    const ids = [await live.create('1.ts'), await live.create('2.ts')];
    let before = await live.watch(ids[0]!).started();
    for (let turn = 1; turn <= 4; turn += 1) {
      if (overlapMs <= 0) before.leave();
      if (overlapMs < 0) await sleep(-overlapMs);
      const next = live.watch(ids[turn % 2]!);
      if (overlapMs > 0) await sleep(overlapMs);
      before.leave();
      expect((await next.reached(1)).status).toBe(200);
      before = next;
    }
  });

  it('is given up by a shared stream that nobody watches', async () => {
    await using live = await start(1, { sharing: 'shared', lingerMs: LINGER_MS });
    const [one, two] = [await live.create('1.ts'), await live.create('2.ts')];
    (await live.watch(one).reached(1)).leave();
    (await live.watch(one).reached(1)).leave();
    expect(live.provider.requests).toHaveLength(1);
    const leftMs = performance.now();
    await live.watch(two).reached(1);
    expect(performance.now() - leftMs).toBeLessThan(LINGER_MS / 2);
  });

  it('sends a viewer to the backup of another account, and leaves the first where it is', async () => {
    await using live = await start(1);
    const id = await live.create('1.ts', [live.at('1.ts', 'bo')]);
    const first = await live.watch(id).reached(1);
    const second = await live.watch(id).reached(1);
    await first.more(SECOND);
    await second.more(SECOND);
    expect([live.counted('al').open, live.counted('bo').open]).toEqual([1, 1]);
    expect(first.largestGapMs).toBeLessThan(1500);
    expect(live.provider.requests).toHaveLength(2);
  });

  it('is used by one source after the other when the first breaks', async () => {
    await using live = await start(1);
    const id = await live.create('1.ts', [live.at('2.ts')]);
    const viewer = await live.watch(id).reached(1);
    for (const path of ['/1.ts', '/2.ts', '/1.ts', '/2.ts']) {
      live.provider.cut(path, 'reset');
      await viewer.more(SECOND);
    }
    expect(viewer.ending).toBeUndefined();
    expect(live.counted()).toEqual({ most: 1, open: 1 });
  });

  it('is counted for the account that was asked, wherever it leads', async () => {
    await using live = await start(1);
    const [away, other] = [await live.create('away.ts'), await live.create('2.ts')];
    const viewer = await live.watch(away).reached(1);
    expect(await problemOf(live.watch(other))).toEqual(FULL);
    viewer.leave();
    await live.watch(other).reached(1);
  });

  it('serves a film from any place, one part at a time', async () => {
    await using live = await start(1);
    const id = await live.create('film.mp4');
    const url = `${live.playback.base}/stream/${id}`;
    live.provider.setFault('/film.mp4', times(1, stallAfter(20_000)));
    const first = await new Viewer(url).reached(1);
    const seeking = new Viewer(url, { headers: { Range: 'bytes=500000-500999' } });
    await sleep(150);
    first.leave();
    expect([await seeking.ended(), seeking.bytes]).toEqual(['clean', 1000]);
  });

  it('reads playlists as transport streams, one request at a time', async () => {
    await using live = await start(1, { converts: 'all' });
    const id = await live.create('h/index.m3u8');
    const viewers = [live.watch(id), live.watch(id)];
    for (const viewer of viewers) await viewer.reached(2 * SECOND);
    expect(live.counted().most).toBe(1);
  });

  it('shows a slate where a picture had begun and the account is full', async () => {
    const clip = clipOf(await spliceSource({ seconds: 1, picture: 'smptehdbars' }));
    const slate = { slates: slatesOf(clip), afterMs: 200, timeoutMs: 0, forNewViewers: false };
    await using live = await start(1, { slate });
    const [one, two] = [await live.create('1.ts'), await live.create('2.ts')];
    const viewer = await live.watch(one).reached(1);
    const waiting = live.watch(two);
    await sleep(100);
    // Its place goes to who waits.
    live.provider.cut('/1.ts', 'reset');
    await waiting.reached(1);
    const slateOf = () =>
      live.playback.registry.list().find(({ definition }) => definition.id === one)?.slate;
    await eventually('a slate is shown', () => typeof slateOf() === 'string');
    waiting.leave();
    await eventually('the picture is back', () => slateOf() === null);
    expect(viewer.ending).toBeUndefined();
  });
});

describe.concurrent('an account of two connections', () => {
  it('has a standby, whose place a viewer takes at once', async () => {
    await using live = await start(2, { standby: 'hot' });
    const [one, two] = [await live.create('1.ts', [live.at('2.ts')]), await live.create('2.ts')];
    const viewer = await live.watch(one).reached(1);
    await live.provider.until(() => live.counted().open === 2);
    const other = await live.watch(two).reached(1);
    await viewer.more(SECOND);
    await other.more(SECOND);
    expect(live.counted()).toEqual({ most: 2, open: 2 });
  });

  it('keeps the place of a standby that has taken over', async () => {
    await using live = await start(2, { standby: 'hot' });
    const [one, two] = [await live.create('1.ts', [live.at('2.ts')]), await live.create('2.ts')];
    const viewer = await live.watch(one).reached(1);
    await live.provider.until(() => live.counted().open === 2);
    await viewer.more(2 * SECOND);
    live.provider.cut('/1.ts', 'reset');
    await viewer.more(SECOND);
    await live.watch(two).reached(1);
    expect(await problemOf(live.watch(two))).toEqual(FULL);
    await viewer.more(SECOND);
    expect(live.allowance.held().map(({ use }) => use)).toEqual(['live', 'live']);
  });
});
