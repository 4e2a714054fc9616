import { beforeAll, describe, expect, it } from 'vitest';
import { playbackRoutes } from '#api/routes/playback.routes';
import type { StandbyMode, VodDelivery } from '#delivery';
import { systemClock } from '#kernel/clock';
import { SpareLedger } from '#upstream';
import { liveTs, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../scripts/faultd.d/media.ts';
import { startPlayback } from '../support/playback-bench.ts';
import { eventually } from '../support/processes.ts';
import { Viewer } from '../support/viewer.ts';

const unusedVod = {} as VodDelivery;
const [A, B, ELSEWHERE] = ['/live/al/pw/1.ts', '/live/al/pw/2.ts', '/live/bo/pw/1.ts'];

let source: LoopedTs;

beforeAll(async () => {
  const { main, durationMs } = await media();
  source = await LoopedTs.open(main, durationMs);
});

/** A stream of an account that bears one connection, watched by one viewer. */
async function startWatched(
  answer: number | 'kill-oldest',
  backups: readonly string[],
  standby: StandbyMode = 'hot',
) {
  const route = liveTs(source);
  const member = { connections: 1, answer, releaseMs: 0 };
  const provider = await startFakeProvider(
    { '/1.ts': route, '/2.ts': route },
    {
      accounts: {
        naming: { path: '/live/:account/:password' },
        members: { al: member, bo: member },
        strangers: 401,
      },
    },
  );
  const playback = await startPlayback({
    standby,
    stallMs: 4000,
    permits: new SpareLedger(systemClock),
    routes: (deps) => playbackRoutes({ ...deps, vod: unusedVod }),
  });
  const failoverUrls = backups.map((path) => provider.url(path));
  const id = await playback.create(provider.url(A), { failoverUrls });
  const viewer = await new Viewer(`${playback.base}/stream/${id}`).started();
  const [stream] = playback.registry.list();
  const switches = async () => (await playback.registry.get(stream!.definition.id)).switches;
  const dispose = async (): Promise<void> => {
    viewer.leave();
    await playback[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  };
  /** Plays on for so much of the source's time. */
  const plays = (ms: number) => viewer.more(source.bytesPerMs * ms);
  return { provider, viewer, switches, plays, [Symbol.asyncDispose]: dispose };
}

describe.concurrent('a standby at an account that bears one connection', () => {
  it('breaks the stream once where the oldest is reset, and is never opened there again', async () => {
    await using live = await startWatched('kill-oldest', [B]);
    await live.provider.until(() => live.provider.counts.accounts['al']?.killed === 1);
    await live.plays(4000);
    // The main one, the standby, and the main one once more when that had not given media yet.
    expect(live.provider.counts.total).toMatchObject({ killed: 1, open: 1 });
    expect(live.provider.requests.length).toBeLessThanOrEqual(3);
    expect((await live.switches()).length).toBeLessThanOrEqual(1);
    expect(live.viewer.largestGapMs).toBeLessThan(1000);
    expect(live.viewer.ending).toBeUndefined();
  });

  it('is not needed: a failure is followed by a cold switch', async () => {
    await using live = await startWatched('kill-oldest', [B]);
    await live.provider.until(() => live.provider.counts.accounts['al']?.killed === 1);
    await live.plays(2000);
    const before = live.provider.requests.length;
    live.provider.cut('*', 'stall');
    await live.provider.until(() => live.provider.requests.length > before);
    await live.plays(500);
    expect(live.provider.counts.accounts['al']).toMatchObject({ killed: 1 });
  });

  it('is kept at another account from then on', async () => {
    await using live = await startWatched('kill-oldest', [B, ELSEWHERE]);
    await live.provider.until(() => live.provider.counts.accounts['al']?.killed === 1);
    await eventually('one is open at each account', () =>
      ['al', 'bo'].every((name) => live.provider.counts.accounts[name]?.open === 1),
    );
    await live.plays(2000);
    expect(live.provider.counts.accounts['al']).toMatchObject({ killed: 1, open: 1 });
  });

  it('that is refused costs its source nothing, and is asked for once', async () => {
    await using live = await startWatched(458, [B]);
    await live.provider.until(() => live.provider.counts.accounts['al']?.refused === 1);
    await live.plays(3000);
    expect(live.provider.requests).toHaveLength(2);
    expect(await live.switches()).toEqual([]);
    live.provider.cut('*', 'stall');
    await eventually('the backup has taken over', async () => (await live.switches()).length > 0);
    await live.plays(500);
    const [change] = await live.switches();
    // A source that cooled would have been waited for.
    expect((change?.gapMs ?? Infinity) - (change?.detectionMs ?? 0)).toBeLessThan(900);
  });
});
