import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisHousekeepingStore } from '#adapters/redis/housekeeping-store';
import { keysOf } from '#adapters/redis/keys';
import type { DomainEvent } from '#events';
import { systemClock, systemTimers } from '#kernel/clock';
import { silentLogger } from '#kernel/logger';
import { Housekeeping } from '../../workers/housekeeping.worker.ts';
import {
  answer,
  liveTs,
  slowBody,
  startFakeProvider,
  status,
  text,
  type FakeProvider,
} from '../../scripts/faultd.d/fake-provider.ts';
import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../scripts/faultd.d/media.ts';
import { linksIn } from '../support/hls-bench.ts';
import { PLAYLIST_TYPE, title } from '../support/hls-titles.ts';
import { eventually } from '../support/processes.ts';
import { startProduct, type Product } from '../support/product.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { fetchOnce, watch } from '../support/viewer.ts';

let redis: TestRedis;
let nodes: Product[];
let main: LoopedTs;

const startNode = (): Promise<Product> =>
  startProduct({
    roles: 'api',
    env: { REDIS_URL: redis.url, HLS_SEGMENT_SECONDS: '1', RETRY_DELAY: '0.1' },
  });

beforeAll(async () => {
  const made = await media();
  main = await LoopedTs.open(made.main, made.durationMs);
  redis = await startRedis();
  nodes = await Promise.all([startNode(), startNode()]);
}, 60_000);
afterAll(async () => {
  await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));
  await redis[Symbol.asyncDispose]();
});

/** Asks the two in turn, as a balancer does that knows nothing of players. */
function balancer() {
  let turn = 0;
  const at = (pathOrUrl: string): string => {
    turn += 1;
    const { pathname, search } = new URL(pathOrUrl, 'http://balancer/');
    return `${nodes[turn % 2]?.url}${pathname}${search}`;
  };
  return { get: (path: string): Promise<Response> => fetch(at(path)), at };
}

async function createStream(json: Record<string, unknown>): Promise<string> {
  const id = await nodes[0]!.api.createStream(json);
  // The other has heard of it as soon as it answers for it.
  await eventually('both know the stream', async () =>
    nodes[1]!.api.get(`/streams/${id}`).then(({ status: code }) => code === 200),
  );
  return id;
}

async function eventsOf(id: string): Promise<readonly DomainEvent[]> {
  const connection = await redis.connect();
  const entries = await connection.xrange(keysOf('penstock').events, '-', '+');
  connection.disconnect();
  const events = entries.map(([, [, text_ = '{}']]) => JSON.parse(text_) as DomainEvent);
  return events.filter(({ streamId }) => streamId === id);
}

/** What was told of a stream. */
const factsOf = async (id: string): Promise<readonly string[]> =>
  (await eventsOf(id)).map(({ fact }) => fact.type);

/** What a worker does about processes that are gone. */
async function startKeeper() {
  const connection = await redis.connect();
  const { nodes: known, node } = keysOf('penstock');
  const before = await connection.smembers(known);
  // Who lives beats again long before it is believed to be dead; of the others, it saves a wait.
  await connection.del(before.map((epoch) => node + epoch));
  const store = new RedisHousekeepingStore({
    redis: connection,
    prefix: 'penstock',
    eventLogMax: 100_000,
  });
  const times = { clock: systemClock, timers: systemTimers };
  const keeper = new Housekeeping({ ...times, store, streamTtlMs: 0, logger: silentLogger });
  return {
    /** Until it has forgotten one of those that it found. */
    forgotten: () =>
      eventually(
        'a process is forgotten',
        async () => {
          const now = new Set(await connection.smembers(known));
          return before.some((epoch) => !now.has(epoch));
        },
        20_000,
      ),
    [Symbol.asyncDispose]: async () => {
      await keeper.close();
      connection.disconnect();
    },
  };
}

const live = (name: string, first: number): string =>
  `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:${first}\n` +
  Array.from({ length: 4 }, (_, n) => `#EXTINF:1,\n${name}${first + n}.ts\n`).join('');

const growing = (name: string, first: number) => {
  const startedMs = Date.now();
  return answer(() => ({
    headers: { 'content-type': PLAYLIST_TYPE },
    body: live(name, first + Math.floor((Date.now() - startedMs) / 1000)),
  }));
};

/** A provider of live lists, each with the number that it begins with. Segments are their paths. */
const startLists = (firsts: Readonly<Record<string, number>>): Promise<FakeProvider> => {
  const routes = Object.entries(firsts).flatMap(([name, first]) => [
    [`/${name}/`, answer(({ path }) => ({ body: path }))],
    [`/${name}/index.m3u8`, growing(name, first)],
  ]);
  return startFakeProvider(Object.fromEntries(routes));
};

/** @returns its id; the first list is the source, the others are its backups. */
const streamOf = (provider: FakeProvider, ...names: readonly string[]): Promise<string> => {
  const [url, ...backups] = names.map((name) => provider.url(`/${name}/index.m3u8`));
  return createStream({ url, failover_urls: backups });
};

const sequenceOf = (playlist: string): number =>
  Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(playlist)?.[1]);

const discontinuityOf = (playlist: string): number =>
  Number(/#EXT-X-DISCONTINUITY-SEQUENCE:(\d+)/.exec(playlist)?.[1] ?? 0);

const linksOf = (playlist: string): readonly string[] =>
  playlist.split('\n').filter((line) => line.startsWith('segment'));

/** The number after the last segment's. */
const endOf = (playlist: string): number => sequenceOf(playlist) + linksOf(playlist).length;

const namesIn = (playlist: string): string[] => [...playlist.matchAll(/h=([\w-]+)/g)].map(String);

describe('HLS at two api processes behind one balancer', () => {
  it('are one for DASH too: links name the host that was asked, and a viewer is one', async () => {
    const list =
      '<MPD><Period><AdaptationSet><SegmentTemplate media="$Number$.m4s"/></AdaptationSet></Period></MPD>';
    await using provider = await startFakeProvider({
      '/d/a.mpd': text(list, 'application/dash+xml'),
      '/d/1.m4s': text('media', 'video/mp4'),
    });
    const id = await createStream({ url: provider.url('/d/a.mpd') });
    for (const node of nodes) {
      const manifest = await fetch(`${node.url}/dash/${id}/manifest.mpd?client_id=one`);
      const [, base = ''] = /<BaseURL>(.*)<\/BaseURL>/.exec(await manifest.text()) ?? [];
      expect(base).toContain(`${node.url}/`);
      for (const other of nodes) {
        const { pathname } = new URL(base);
        expect(await (await fetch(`${other.url}${pathname}1.m4s`)).text()).toBe('media');
      }
    }
    const asked = provider.requests.map(({ path }) => path);
    expect(asked).toEqual(['/d/a.mpd', '/d/1.m4s']);
    expect(await factsOf(id)).toEqual(['stream_started', 'client_connected']);
  });

  it('is one poll, one fetch and one viewer, whichever of them is asked', async () => {
    const segments = answer(({ path }) => ({
      body: path,
      headers: { 'content-type': 'video/mp2t' },
    }));
    await using provider = await startFakeProvider({
      '/a/': segments,
      '/a/index.m3u8': text(live('s', 1), PLAYLIST_TYPE),
    });
    const id = await createStream({ url: provider.url('/a/index.m3u8') });
    const { get, at } = balancer();
    const path = `/hls/${id}/playlist.m3u8`;
    const [one, other] = [await get(path), await get(path)];
    const playlist = await one.text();
    expect(await other.text()).toBe(playlist);
    expect(provider.requestsOf('/a/index.m3u8').length).toBeLessThanOrEqual(1);
    const [first = ''] = linksIn(playlist, at(path));
    const bodies = [await get(first), await get(first)].map((answered) => answered.text());
    expect(await Promise.all(bodies)).toEqual(['/a/s1.ts', '/a/s1.ts']);
    expect(provider.requestsOf('/a/s1.ts')).toHaveLength(1);
    const counts = await Promise.all(
      nodes.map(async ({ api }) => (await api.get(`/streams/${id}`)).body['client_count']),
    );
    expect(counts.map(Number).reduce((sum, count) => sum + count)).toBe(1);
  });

  it('goes on in its numbers after a failover', async () => {
    await using provider = await startLists({ a: 100, b: 7 });
    const id = await streamOf(provider, 'a', 'b');
    const { get } = balancer();
    const path = `/hls/${id}/playlist.m3u8?client_id=me`;
    const numbers = [sequenceOf(await (await get(path)).text())];
    provider.setFault('/a/', status(404));
    let last = '';
    for (let poll = 0; poll < 6; poll += 1) {
      last = await (await get(path)).text();
      numbers.push(sequenceOf(last));
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(numbers.at(-1)).toBeGreaterThanOrEqual(100);
    const link = linksIn(last, `http://x${path}`).at(-1) ?? '';
    expect(await (await get(link)).text()).toMatch(/^\/b\/b/);
  });

  it('of a transport stream has its segments at both, over one upstream', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(main) });
    const id = await createStream({ url: provider.url('/live.ts') });
    const { get, at } = balancer();
    const path = `/hls/${id}/playlist.m3u8?client_id=me`;
    const lists = [await (await get(path)).text(), await (await get(path)).text()];
    expect(namesIn(lists[1] ?? '')[0]).toBe(namesIn(lists[0] ?? '')[0]);
    for (const link of linksIn(lists[1] ?? '', at(path))) {
      for (const answered of [await get(link), await get(link)]) {
        expect(answered.status).toBe(200);
        expect((await answered.arrayBuffer()).byteLength % 188).toBe(0);
      }
    }
    expect(provider.maxOpen()).toBe(1);
  });

  it('has one limit on what is asked of a provider', async () => {
    const [first, second] = [
      title(12, { sizeBytes: 20_000, folder: '/v' }),
      title(12, { sizeBytes: 20_000, folder: '/w' }),
    ];
    await using provider = await startFakeProvider({ ...first.routes, ...second.routes });
    provider.setFault('/', slowBody(10));
    // Each is served by another process: a stream goes to the one that is asked first.
    const links = await Promise.all(
      ['/v', '/w'].map(async (folder, n) => {
        const url = provider.url(`${folder}/index.m3u8`);
        const id = await createStream({ url, max_connections: 1 });
        const playlist = `${nodes[n]!.url}/hls/${id}/playlist.m3u8`;
        return linksIn(await (await fetch(playlist)).text(), playlist);
      }),
    );
    const all = await Promise.all(links.flat().map((link) => fetchOnce(link)));
    expect(all.every(({ ending }) => ending === 'clean')).toBe(true);
    expect(provider.maxOpen()).toBe(1);
  });

  it('remembers at both who began in time by a signed link', async () => {
    await using provider = await startFakeProvider({
      '/a/index.m3u8': text(live('s', 1), PLAYLIST_TYPE),
      '/live.ts': liveTs(main),
    });
    const id = await createStream({ url: provider.url('/live.ts') });
    const { body } = await nodes[0]!.api.post(`/streams/${id}/links`, { start_within: 1 });
    const path = `/stream/${id}?${String(body['query'])}&client_id=me`;
    const begin = async (node: Product): Promise<number> => {
      const answered = await fetch(node.url + path);
      await answered.body?.cancel();
      return answered.status;
    };
    expect(await begin(nodes[0]!)).toBe(200);
    let others = 0;
    await eventually('the link is too old for others', async () => {
      others += 1;
      const other = await fetch(`${nodes[1]!.url}${path.replace('=me', `=other-${others}`)}`);
      await other.body?.cancel();
      return other.status === 403;
    });
    expect(await begin(nodes[1]!)).toBe(200);
  });

  it.each<[string, (id: string) => string, number]>([
    ['is kicked', (id) => `/hls/${id}/clients/me`, 403],
    ['has left', (id) => `/streams/by-metadata?field=at&value=${id}&client_id=me`, 404],
    ['loses its stream', (id) => `/streams/${id}`, 404],
  ])('end a viewer who %s, whichever of them is told', async (_name, deleting, refusal) => {
    await using provider = await startFakeProvider({
      '/a/': liveTs(main),
      '/a/index.m3u8': text(live('s', 1), PLAYLIST_TYPE),
    });
    const url = provider.url('/a/index.m3u8');
    const id = await createStream({ url });
    await nodes[0]!.api.createStream({ url, metadata: { at: id } });
    const [other, owner] = nodes as [Product, Product];
    const path = `/hls/${id}/playlist.m3u8?client_id=me`;
    const listed = await (await fetch(owner.url + path)).text();
    const [link = ''] = linksIn(listed, other.url + path);
    await using viewer = await watch(link).reached(10_000);
    await eventually('the viewer is on record', async () => (await factsOf(id)).length === 2);
    const { status: code, body } = await other.api.delete(deleting(id));
    expect(code).toBe(200);
    expect(body['removed']).not.toBe(false);
    expect(await viewer.ended(1_000)).toBe('broken');
    expect((await fetchOnce(link)).status).toBe(refusal);
    expect((await fetchOnce(link.replace(other.url, owner.url))).status).toBe(refusal);
    await eventually('its end is told', async () => (await factsOf(id)).length === 4);
    expect((await factsOf(id)).toSorted()).toEqual([
      'client_connected',
      'client_disconnected',
      'stream_started',
      'stream_stopped',
    ]);
  });

  it('end a viewer of /stream and refuse it, whichever of them is told', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(main) });
    const id = await createStream({ url: provider.url('/live.ts') });
    const [one, other] = nodes as [Product, Product];
    const path = `/stream/${id}?client_id=me`;
    await using viewer = await watch(other.url + path).reached(10_000);
    await eventually('the viewer is on record', async () => (await factsOf(id)).length === 2);
    // As apps of m3u-proxy do: the stream that is named is not the one that is watched.
    const { body } = await one.api.delete(`/hls/${'0'.repeat(32)}/clients/me`);
    expect(body['removed']).toBe(true);
    expect(await viewer.ended(1_000)).toBe('clean');
    for (const node of nodes) expect((await fetchOnce(node.url + path)).status).toBe(403);
  });

  it('goes on in its numbers when the process dies that had moved it on', async () => {
    await using provider = await startLists({ a: 100, b: 7, c: 3 });
    const id = await streamOf(provider, 'a', 'b', 'c');
    const [survivor, dying] = nodes as [Product, Product];
    const path = `/hls/${id}/playlist.m3u8?client_id=me`;
    const playlistOf = async ({ url }: Product) => (await fetch(url + path)).text();
    await playlistOf(dying);
    provider.setFault('/a/', status(404));
    let before = '';
    await eventually('it is at the second source', async () => {
      before = await playlistOf(dying);
      return before.includes('#EXT-X-DISCONTINUITY') && sequenceOf(before) >= 102;
    });
    provider.clearFault('/a/');
    await dying.killAndAwaitReturn('api');
    const after = await playlistOf(survivor);
    // The same segments have the same numbers: it is where it was, and nothing was cut.
    expect(sequenceOf(after)).toBeGreaterThanOrEqual(sequenceOf(before));
    const [last = ''] = linksOf(before).slice(-1);
    const place = linksOf(after).indexOf(last);
    if (place >= 0) expect(sequenceOf(after) + place).toBe(endOf(before) - 1);
    expect(discontinuityOf(after)).toBeGreaterThanOrEqual(discontinuityOf(before));
    expect(provider.requestsOf('/c/index.m3u8')).toHaveLength(0);
    const link = linksIn(after, `${survivor.url}${path}`).at(-1) ?? '';
    expect(await (await fetch(link)).text()).toMatch(/^\/b\/b/);
  });

  it('steps back in no number when the source fails with the process that served it', async () => {
    await using provider = await startLists({ a: 100, b: 7 });
    const id = await streamOf(provider, 'a', 'b');
    const [survivor, dying] = nodes as [Product, Product];
    const path = `/hls/${id}/playlist.m3u8?client_id=me`;
    let before = '';
    await eventually('some segments have passed', async () => {
      before = await (await fetch(dying.url + path)).text();
      return sequenceOf(before) >= 102;
    });
    const dead = dying.killAndAwaitReturn('api');
    provider.setFault('/a/', status(404));
    const after = await (await fetch(survivor.url + path)).text();
    expect(sequenceOf(after)).toBeGreaterThanOrEqual(endOf(before));
    expect(sequenceOf(after)).toBeLessThan(endOf(before) + 60);
    expect(after).toContain('#EXT-X-DISCONTINUITY\n');
    await dead;
  });

  it('tells apps nothing of the death of a process whose viewers go on at another', async () => {
    const segments = answer(({ path }) => ({ body: path }));
    await using provider = await startFakeProvider({
      '/a/': segments,
      '/a/index.m3u8': growing('a', 100),
      '/main.ts': liveTs(main),
      '/other.ts': liveTs(main),
    });
    provider.setFault('/main.ts', status(404));
    const listed = await createStream({ url: provider.url('/a/index.m3u8') });
    const shared = await createStream({
      url: provider.url('/main.ts'),
      failover_urls: [provider.url('/other.ts')],
    });
    const [survivor, dying] = nodes as [Product, Product];
    const playlist = `/hls/${listed}/playlist.m3u8?client_id=`;
    const stream = `/stream/${shared}?client_id=tv`;
    for (const name of ['stays', 'goes']) await (await fetch(dying.url + playlist + name)).text();
    await using before = await watch(dying.url + stream).reached(100_000);
    await eventually('all is told', async () => (await factsOf(shared)).length === 3);
    await eventually('and of the other', async () => (await factsOf(listed)).length === 3);
    const killedAtMs = Date.now();
    const back = dying.killAndAwaitReturn('api');
    await before.ended(5_000);
    await using after = await watch(survivor.url + stream).reached(100_000);
    await using keeper = await startKeeper();
    const poll = async (): Promise<void> => {
      expect((await fetch(`${survivor.url}${playlist}stays`)).status).toBe(200);
    };
    await eventually(
      'the end of the one who is gone is told',
      async () => {
        await poll();
        return (await factsOf(listed)).includes('client_disconnected');
      },
      20_000,
    );
    await keeper.forgotten();
    const { body } = await survivor.api.get(`/streams/${listed}`);
    const [stays] = body['clients'] as { client_id: string; created_at: string }[];
    expect(stays?.client_id).toBe('stays');
    expect(Date.parse(`${stays?.created_at}`)).toBeLessThan(killedAtMs);
    const told = await eventsOf(listed);
    expect(told.map(({ fact }) => fact.type).toSorted()).toEqual([
      'client_connected',
      'client_connected',
      'client_disconnected',
      'stream_started',
    ]);
    const last = told.find(({ fact }) => fact.type === 'client_disconnected');
    expect(last?.fact).toMatchObject({ clientId: 'goes', reason: 'node_lost' });
    expect(await factsOf(shared)).toEqual([
      'stream_started',
      'client_connected',
      'failover_triggered',
    ]);
    after.leave();
    await eventually('its end is told', async () => (await factsOf(shared)).length === 5);
    expect((await factsOf(shared)).slice(3)).toEqual(['client_disconnected', 'stream_stopped']);
    await back;
  });

  it('goes on when the process dies that served it', async () => {
    await using provider = await startLists({ a: 100 });
    const id = await streamOf(provider, 'a');
    const [survivor, dying] = nodes as [Product, Product];
    const path = `/hls/${id}/playlist.m3u8?client_id=me`;
    const before = sequenceOf(await (await fetch(dying.url + path)).text());
    process.kill(dying.pid('api'), 'SIGKILL');
    const answered = await fetch(survivor.url + path);
    expect(answered.status).toBe(200);
    expect(sequenceOf(await answered.text())).toBeGreaterThanOrEqual(before);
  });
});
