import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { systemClock, systemTimers } from '#kernel/clock';
import { asStreamId } from '#kernel/ids';
import { SegmentStore } from '#segments';
import { ConnectionLedger } from '#upstream';
import { slowBody, startFakeProvider, status, text } from '../../scripts/faultd.d/fake-provider.ts';
import { linksIn, startHls } from '../support/hls-bench.ts';
import { PLAYLIST_TYPE, title } from '../support/hls-titles.ts';
import { fetchOnce } from '../support/viewer.ts';

type Bench = {
  readonly maxConnections?: number;
  readonly backups?: readonly string[];
  readonly memoryBytes?: number;
};

async function start(titled: ReturnType<typeof title>, bench: Bench = {}) {
  const { maxConnections = null, backups = [], memoryBytes = 64 * 1024 * 1024 } = bench;
  const provider = await startFakeProvider(titled.routes);
  const allowance = new ConnectionLedger({ timers: systemTimers });
  const store = new SegmentStore({ memoryBytes, clock: systemClock, timers: systemTimers });
  const penstock = await startHls({ headersMs: 3000, allowance, hls: { lookAhead: 3, store } });
  const id = await penstock.create(provider.url('/v/index.m3u8'), {
    maxConnections,
    failoverUrls: backups.map((path) => provider.url(path)),
  });
  const url = penstock.playlistUrl(id);
  const linksOf = async (viewer: string): Promise<string[]> =>
    linksIn(await (await fetch(`${url}?client_id=${viewer}`)).text(), url);
  const asked = (): string[] =>
    provider.requests.map(({ path }) => path.slice(3)).filter((path) => path.endsWith('.ts'));
  const until = (count: number): Promise<void> => provider.until(() => asked().length >= count);
  return {
    provider,
    penstock,
    id: asStreamId(id),
    linksOf,
    asked,
    until,
    async [Symbol.asyncDispose]() {
      await penstock[Symbol.asyncDispose]();
      await provider[Symbol.asyncDispose]();
    },
  };
}

const QUIET_MS = 150;

/** Five segments, the list again before each. */
const play = async (reload: () => Promise<readonly string[]>, from: number): Promise<void> => {
  for (let n = from; n < from + 5; n += 1) {
    const links = await reload();
    expect((await fetchOnce(links[n] ?? '')).ending).toBe('clean');
  }
};

describe('look-ahead', () => {
  it('fetches what comes next, each once, and is silent when the viewer has left', async () => {
    await using hls = await start(title(1200, { sizeBytes: 1000 }));
    const links = await hls.linksOf('one');
    for (const [n, link] of links.slice(0, 5).entries()) {
      await fetchOnce(link);
      await hls.until(n + 4);
    }
    await sleep(QUIET_MS);
    expect(hls.asked()).toEqual(Array.from({ length: 8 }, (_, n) => `${n}.ts`));
    expect(hls.provider.maxOpen()).toBe(1);
  });

  it('goes on from where a viewer has sought to, and fetches nothing between', async () => {
    await using hls = await start(title(1200, { sizeBytes: 1000 }));
    const links = await hls.linksOf('one');
    await fetchOnce(links[0] ?? '');
    await hls.until(4);
    await fetchOnce(links[600] ?? '');
    await hls.until(8);
    await sleep(QUIET_MS);
    expect(hls.asked().slice(4)).toEqual(['600.ts', '601.ts', '602.ts', '603.ts']);
  });

  it('gives a place up when a viewer wants another segment', async () => {
    await using hls = await start(title(1200, { sizeBytes: 100_000 }));
    hls.provider.setFault('/v/1.ts', slowBody(3000));
    const links = await hls.linksOf('one');
    await fetchOnce(links[0] ?? '');
    await hls.provider.until(() => hls.provider.open('/v/1.ts') === 1);
    const startedMs = performance.now();
    expect((await fetchOnce(links[600] ?? '')).ending).toBe('clean');
    expect(performance.now() - startedMs).toBeLessThan(1000);
    await hls.provider.until(() => hls.provider.open('/v/1.ts') === 0);
  });

  it('fetches each segment of a live list once for viewers at the same edge', async () => {
    const first = title(4, { isEnded: false });
    await using hls = await start(first);
    const [one, two] = await Promise.all([hls.linksOf('one'), hls.linksOf('two')]);
    await Promise.all([fetchOnce(one[1] ?? ''), fetchOnce(two[1] ?? '')]);
    await hls.until(3);
    await Promise.all([fetchOnce(one[2] ?? ''), fetchOnce(two[2] ?? '')]);
    await sleep(QUIET_MS);
    expect(hls.asked()).toEqual(['1.ts', '2.ts', '3.ts']);
  });

  it('never has two requests open where one is allowed', async () => {
    const titled = title(30, { sizeBytes: 20_000 });
    await using hls = await start(titled, { maxConnections: 1 });
    hls.provider.setFault('/v/', slowBody(10));
    const viewers = ['one', 'two', 'three'].map((name) => () => hls.linksOf(name));
    await Promise.all(viewers.map((reload, n) => play(reload, n * 10)));
    expect(hls.provider.maxOpen()).toBe(1);
  });

  it('stays away from segments that are missing, and from gaps', async () => {
    const titled = title(6);
    const list = Array.from(
      { length: 6 },
      (_, n) => `#EXTINF:1,\n${n === 2 ? '#EXT-X-GAP\n' : ''}${n}.ts\n`,
    );
    const routes = {
      ...titled.routes,
      '/v/index.m3u8': text(
        `#EXTM3U\n#EXT-X-TARGETDURATION:1\n${list.join('')}#EXT-X-ENDLIST\n`,
        PLAYLIST_TYPE,
      ),
    };
    await using hls = await start({ ...titled, routes });
    hls.provider.setFault('/v/1.ts', status(404));
    const links = await hls.linksOf('one');
    await fetchOnce(links[0] ?? '');
    await hls.until(3);
    await sleep(QUIET_MS);
    expect(hls.asked()).toEqual(['0.ts', '1.ts', '3.ts']);
  });

  it('counts as good what has been fetched ahead: bad segments here and there move nothing on', async () => {
    await using hls = await start(title(10), { backups: ['/else/index.m3u8'] });
    const bad = [0, 4];
    for (const n of bad) hls.provider.setFault(`/v/${n}.ts`, status(404));
    const links = await hls.linksOf('one');
    for (const [n, link] of links.entries()) {
      expect((await fetch(link)).status).toBe(bad.includes(n) ? 404 : 200);
      const ahead = Math.min(n + 3, 9);
      await hls.provider.until(() => hls.asked().includes(`${ahead}.ts`));
    }
    const { health } = hls.penstock.hls.statsOf(hls.id) ?? {};
    expect(health).toBe('good');
    await hls.linksOf('two');
    expect(hls.provider.requestsOf('/else/index.m3u8')).toHaveLength(0);
  });

  it('takes no more than a quarter of the memory', async () => {
    const titled = title(10, { sizeBytes: 20_000 });
    await using hls = await start(titled, { memoryBytes: 200_000 });
    const links = await hls.linksOf('one');
    await fetchOnce(links[0] ?? '');
    await hls.until(3);
    await sleep(QUIET_MS);
    expect(hls.asked()).toEqual(['0.ts', '1.ts', '2.ts']);
  });

  it('pauses when the source says that it is too much', async () => {
    await using hls = await start(title(10));
    hls.provider.setFault('/v/1.ts', status(429));
    const links = await hls.linksOf('one');
    await fetchOnce(links[0] ?? '');
    await hls.until(2);
    await sleep(QUIET_MS);
    expect(hls.asked()).toEqual(['0.ts', '1.ts']);
  });
});
