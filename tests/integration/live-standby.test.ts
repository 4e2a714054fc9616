import { beforeAll, describe, expect, it } from 'vitest';
import { playbackRoutes } from '#api/routes/playback.routes';
import type { VodDelivery } from '#delivery';
import type { SwitchSnapshot } from '#streams';
import { anySpare } from '#upstream';
import type { SparePermits } from '#upstream';
import {
  liveTs,
  resetAfter,
  slowHeaders,
  stallAfter,
  startFakeProvider,
  status,
} from '../../scripts/faultd.d/fake-provider.ts';
import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../scripts/faultd.d/media.ts';
import { startPlayback } from '../support/playback-bench.ts';
import type { PlaybackOptions } from '../support/playback-bench.ts';
import { eventually } from '../support/processes.ts';
import { Viewer } from '../support/viewer.ts';

const unusedVod = {} as VodDelivery;
const [A, B, C] = ['/live/a.ts', '/live/b.ts', '/live/c.ts'];

let source: LoopedTs;

beforeAll(async () => {
  const { main, durationMs } = await media();
  source = await LoopedTs.open(main, durationMs);
});

/** A stream with a primary and backups, with one viewer that has a picture. */
async function startWatched(
  options: Omit<PlaybackOptions, 'routes'>,
  over: { backups?: readonly string[]; speed?: number } = {},
) {
  const route = liveTs(source, { speed: over.speed ?? 4 });
  const provider = await startFakeProvider({ [A]: route, [B]: route, [C]: route });
  const playback = await startPlayback({
    ...options,
    routes: (deps) => playbackRoutes({ ...deps, vod: unusedVod }),
  });
  const failoverUrls = (over.backups ?? [B]).map((path) => provider.url(path));
  const id = await playback.create(provider.url(A), { failoverUrls });
  const viewer = await new Viewer(`${playback.base}/stream/${id}`).started();
  await viewer.more(188 * 100);
  const [stream] = playback.registry.list();
  const streamId = stream!.definition.id;
  const switches = async (): Promise<readonly SwitchSnapshot[]> =>
    (await playback.registry.get(streamId)).switches;
  const dispose = async (): Promise<void> => {
    viewer.leave();
    await playback[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  };
  return { provider, playback, viewer, streamId, switches, [Symbol.asyncDispose]: dispose };
}

type Watched = Awaited<ReturnType<typeof startWatched>>;

/** The standby of this address is open and has given media. */
const standbyReads = ({ provider }: Watched, path: string): Promise<void> =>
  provider.until(
    () => provider.requestsOf(path).some((r) => r.open && r.sentBytes > 400_000),
    10_000,
  );

const switched = ({ switches }: Watched, count: number): Promise<void> =>
  eventually(
    `${count} switches are over`,
    async () => {
      const done = (await switches()).filter(({ gapMs }) => gapMs !== null);
      return done.length === count;
    },
    12_000,
  );

const lostSync = (body: Buffer): number =>
  Array.from({ length: Math.floor(body.length / 188) }, (_, n) => body[n * 188]).filter(
    (byte) => byte !== 0x47,
  ).length;

describe.concurrent('a hot standby', () => {
  it.each(['reset', 'eof'] as const)(
    'takes over in a moment when the source breaks by %s',
    async (how) => {
      await using live = await startWatched({ standby: 'hot' });
      await standbyReads(live, B);
      live.provider.cut(A, how);
      await switched(live, 1);
      const [change] = await live.switches();
      expect(change).toMatchObject({ fromIndex: -1, toIndex: 0 });
      expect(change?.gapMs).toBeLessThan(1000);
      expect(change?.connectMs).toBeLessThan(500);
      await live.viewer.more(188 * 500);
      expect(lostSync(live.viewer.body())).toBe(0);
      expect(live.provider.requestsOf(B)).toHaveLength(1);
    },
  );

  it('takes over as soon as a stall is noticed, and most of the gap is that', async () => {
    await using live = await startWatched({ standby: 'hot', stallMs: 1500 });
    await standbyReads(live, B);
    live.provider.cut(A, 'stall');
    await switched(live, 1);
    const [change] = await live.switches();
    expect(change?.detectionMs).toBeGreaterThanOrEqual(1400);
    expect((change?.gapMs ?? 0) - (change?.detectionMs ?? 0)).toBeLessThan(300);
  });

  it('that has only just been opened, and falls silent when it has taken over, is soon left', async () => {
    await using live = await startWatched(
      { standby: 'hot', stallMs: 15_000 },
      { backups: [B, C], speed: 1 },
    );
    const enough = source.bytesPerMs * 3000;
    await live.provider.until(() => live.provider.requestsOf(B).some((r) => r.sentBytes > enough));
    live.provider.cut(A, 'reset');
    await switched(live, 1);
    live.provider.cut(B, 'stall');
    await switched(live, 2);
    const [, change] = await live.switches();
    expect(change).toMatchObject({ fromIndex: 0, reason: expect.stringMatching(/ReadTimeout/) });
    expect(change?.detectionMs).toBeLessThan(7500);
  });

  it('begins with the tables and a keyframe', async () => {
    await using live = await startWatched({ standby: 'hot' });
    await standbyReads(live, B);
    const before = live.viewer.bytes;
    live.provider.cut(A, 'reset');
    await switched(live, 1);
    await live.viewer.more(188 * 500);
    const pids = pidsOf(live.viewer.body().subarray(before - (before % 188)));
    const pat = pids.findIndex((pid, at) => pid === 0 && isKeyframe(live.viewer, before, at + 2));
    expect(pat).toBeGreaterThanOrEqual(0);
  });

  it('costs two provider connections, and never three, through switches in both directions', async () => {
    await using live = await startWatched({ standby: 'hot' }, { backups: [B, C] });
    await standbyReads(live, B);
    live.provider.cut(A, 'reset');
    await standbyReads(live, C);
    await live.playback.registry.failover(live.streamId);
    await standbyReads(live, A);
    live.provider.cut(C, 'eof');
    await standbyReads(live, B);
    expect(live.provider.maxOpen()).toBe(2);
    live.viewer.leave();
    await live.provider.until(() => live.provider.open() === 0, 1000);
  });

  it('is never opened for a stream with one source', async () => {
    await using live = await startWatched({ standby: 'hot' }, { backups: [] });
    await live.viewer.reached(source.bytesPerMs * 4 * 3000);
    expect(live.provider.requests).toHaveLength(1);
  });

  it('is not opened while whoever keeps the limits says no', async () => {
    const asked: string[] = [];
    const permits: SparePermits = {
      ...anySpare,
      acquire: ({ purpose }) => {
        asked.push(purpose);
        return undefined;
      },
    };
    await using live = await startWatched({ standby: 'hot', permits });
    await eventually('it was asked for twice', async () => asked.length >= 2);
    expect(live.provider.requests).toHaveLength(1);
    expect(new Set(asked)).toEqual(new Set(['standby']));
  });

  it.each([
    ['answers 404', status(404)],
    ['is slow with its headers', slowHeaders(5000)],
    ['resets', resetAfter(188 * 1000)],
    ['stalls', stallAfter(188 * 1000)],
  ] as const)('that %s does not disturb the source in use', async (_name, fault) => {
    await using live = await startWatched(
      { standby: 'hot', headersMs: 1_000, stallMs: 2_000 },
      { backups: [B, C] },
    );
    live.provider.setFault(B, fault);
    await standbyReads(live, C);
    expect(live.provider.requestsOf(B).length).toBeGreaterThan(0);
    expect(live.provider.requestsOf(A)).toHaveLength(1);
    expect(live.provider.maxOpen()).toBe(2);
    expect(await live.switches()).toEqual([]);
  });

  it('gives back its permit when it becomes the source in use and when it is closed', async () => {
    let held = 0;
    const acquire = () => {
      let isHeld = true;
      held += 1;
      const release = (): void => {
        if (isHeld) held -= 1;
        isHeld = false;
      };
      return { answered: () => {}, isRefusal: () => false, release };
    };
    await using live = await startWatched({
      standby: 'hot',
      permits: { ...anySpare, acquire },
    });
    await standbyReads(live, B);
    expect(held).toBe(1);
    live.provider.cut(A, 'reset');
    await switched(live, 1);
    expect(held).toBe(0);
    await standbyReads(live, A);
    expect(held).toBe(1);
    live.viewer.leave();
    await eventually('it is given back', async () => held === 0);
  });
});

describe.concurrent('a warm standby', () => {
  it('is connected when the source is suspiciously silent, and takes over at the stall', async () => {
    await using live = await startWatched({ standby: 'warm', stallMs: 2400 });
    await live.viewer.reached(source.bytesPerMs * 4 * 1500);
    expect(live.provider.requests).toHaveLength(1);
    live.provider.cut(A, 'stall');
    await live.provider.until(() => live.provider.open() === 2);
    await switched(live, 1);
    const [change] = await live.switches();
    expect(change?.connectMs).toBeLessThan(300);
    expect(change?.detectionMs).toBeGreaterThanOrEqual(2300);
    await live.viewer.more(188 * 500);
    expect(lostSync(live.viewer.body())).toBe(0);
    expect(live.provider.requestsOf(B)).toHaveLength(1);
    expect(live.provider.maxOpen()).toBe(2);
  });
});

describe.concurrent('the return to the primary', () => {
  it('happens when it is set and the primary gives media again, without a gap', async () => {
    await using live = await startWatched({ failbackAfterMs: 1000 });
    live.provider.setFault(A, status(503));
    live.provider.cut(A, 'reset');
    await switched(live, 1);
    live.provider.clearFault(A);
    await switched(live, 2);
    const [, back] = await live.switches();
    expect(back).toMatchObject({ fromIndex: 0, toIndex: -1, reason: 'failback' });
    expect(back?.gapMs).toBeLessThan(300);
    expect(live.provider.maxOpen()).toBe(2);
    await live.viewer.more(188 * 500);
    expect(lostSync(live.viewer.body())).toBe(0);
    await live.provider.until(() => live.provider.open() === 1);
  });
});

const pidsOf = (body: Buffer): readonly number[] =>
  Array.from(
    { length: Math.floor(body.length / 188) },
    (_, n) => body.readUInt16BE(n * 188 + 1) & 0x1fff,
  );

/** The packet begins a unit at which decoding can begin. */
function isKeyframe(viewer: Viewer, from: number, packet: number): boolean {
  const at = from - (from % 188) + packet * 188;
  const body = viewer.body();
  const [second, fourth, flags] = [body[at + 1] ?? 0, body[at + 3] ?? 0, body[at + 5] ?? 0];
  return (second & 0x40) !== 0 && (fourth & 0x20) !== 0 && (flags & 0x50) === 0x50;
}
