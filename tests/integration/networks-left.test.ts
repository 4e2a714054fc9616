import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { networkAttic } from '#adapters/fs/network-attic';
import { DiskNetworkFolder } from '#adapters/fs/network-folder';
import { RedisNetworkStore } from '#adapters/redis/network-store';
import { systemTimers } from '#kernel/clock';
import { silentLogger } from '#kernel/logger';
import { NO_SEGMENTS, networkIdOf, playlistText, segmentName, withSegment } from '#networks';
import type { Network, NetworkId, SegmentWindow } from '#networks';
import { NetworkCleaner } from '../../workers/networks/network-cleaner.ts';
import { eventually } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';
import type { TestRedis } from '../support/redis.ts';
import { running } from '../unit/networks/network-of.ts';

const root = mkdtempSync(join(tmpdir(), 'penstock-left-'));
let server: TestRedis;
let store: RedisNetworkStore;

beforeAll(async () => {
  server = await startRedis();
  store = new RedisNetworkStore(await server.connect(), 'test');
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(root, { recursive: true });
});

const HOUR_MS = 3_600_000;
const ago = (ms: number): Date => new Date(Date.now() - ms);
const asId = (name: string): NetworkId => networkIdOf(name) as NetworkId;

const windowOf = (...numbers: readonly number[]): SegmentWindow =>
  numbers.reduce(
    (window, number) =>
      withSegment(window, { number, seconds: 6, atMs: 0, isDiscontinuous: false }, 0),
    NO_SEGMENTS,
  );

function folderWith(name: string, numbers: readonly number[], listed: readonly number[]): string {
  const path = join(root, `broadcast_${name}`);
  mkdirSync(path);
  for (const number of numbers) writeFileSync(join(path, segmentName(number)), 'media');
  writeFileSync(join(path, 'live.m3u8'), playlistText(windowOf(...listed)));
  return path;
}

function makeOld(path: string, ms = 2 * HOUR_MS): void {
  utimesSync(path, ago(ms), ago(ms));
}

async function keep(name: string, more: Partial<Network>): Promise<void> {
  const idle = { state: 'stopped', lease: null, startedAtMs: Date.now() - 2 * HOUR_MS } as const;
  const network = running({ ...idle, ...more, id: asId(name) });
  await store.change(network.id, () => network);
}

describe('what networks leave behind', () => {
  it('goes when it is old enough, and nothing else does', async () => {
    const [over, recent, recording, live] = ['over', 'recent', 'recording', 'live'].map((name) =>
      folderWith(name, [1, 2, 3, 4], [3, 4]),
    );
    const stray = folderWith('stray', [1], [1]);
    const foreign = join(root, 'something-else');
    mkdirSync(foreign);
    await keep('over', { folder: over ?? '' });
    await keep('recent', { folder: recent ?? '', startedAtMs: Date.now() - 1_000 });
    await keep('recording', { folder: recording ?? '', isDvr: true });
    const lease = { epoch: 3, untilMs: Date.now() + HOUR_MS };
    await keep('live', { folder: live ?? '', state: 'running', lease });
    makeOld(join(live ?? '', segmentName(1)));
    for (const path of [stray, foreign, recording ?? '']) makeOld(path);
    const common = { store, attic: networkAttic, root, timers: systemTimers, logger: silentLogger };
    const cleaner = new NetworkCleaner({ ...common, intervalMs: HOUR_MS, ageMs: HOUR_MS });
    await eventually('the stray is gone', () => !existsSync(stray));
    await cleaner.close();
    expect(readdirSync(root).toSorted()).toEqual([
      'broadcast_live',
      'broadcast_recent',
      'broadcast_recording',
      'something-else',
    ]);
    // The second was written just now: a player may still ask for it.
    expect(readdirSync(live ?? '').filter((name) => name.endsWith('.ts'))).toEqual(
      [2, 3, 4].map((number) => segmentName(number)),
    );
    const { networks } = await store.list();
    expect(networks.map(({ id }) => String(id)).toSorted()).toEqual([
      'live',
      'recent',
      'recording',
    ]);
  });
});

describe('the record of a network', () => {
  it('is changed by everybody at once without a change being lost', async () => {
    const id = asId('counted');
    await store.change(id, () => running({ id, turn: 0 }));
    const change = () =>
      store.change(id, (current) => current && { ...current, turn: current.turn + 1 });
    await Promise.all(Array.from({ length: 20 }, change));
    expect((await store.find(id))?.turn).toBe(20);
  });

  it('is not removed by who has seen an older one', async () => {
    const id = asId('renewed');
    const old = running({ id });
    await store.change(id, () => old);
    await store.change(id, () => ({ ...old, turn: 9 }));
    expect(await store.removeUnchanged(old)).toBe(false);
    expect(await store.removeUnchanged({ ...old, turn: 9 })).toBe(true);
    expect(await store.find(id)).toBeUndefined();
  });
});

const publish = (folder: DiskNetworkFolder, bench: string, number: number) =>
  folder.publish({ bench, number, window: windowOf(number), subtitles: undefined });

describe('the folder of a network', () => {
  it('is written by who has claimed it last, and by nobody else', async () => {
    const path = join(root, 'claimed');
    const [old, young] = [new DiskNetworkFolder(path), new DiskNetworkFolder(path)];
    await old.claim(1);
    const bench = await old.openBench();
    writeFileSync(join(bench, segmentName(0)), 'of the old');
    writeFileSync(join(bench, segmentName(1)), 'of the old');
    expect(await publish(old, bench, 0)).toBe('of the old'.length);
    await young.claim(2);
    const other = await young.openBench();
    writeFileSync(join(other, segmentName(1)), 'of the young');
    expect(await publish(young, other, 1)).toBe('of the young'.length);
    expect(await publish(old, bench, 1)).toBeUndefined();
    await young.close();
    expect(
      readdirSync(path)
        .filter((name) => !name.startsWith('.owner'))
        .toSorted(),
    ).toEqual(['live.m3u8', segmentName(0), segmentName(1)]);
  });
});
