import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keysOf } from '#adapters/redis/keys';
import { file, hlsLive, liveTs, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import type { FakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../scripts/faultd.d/media.ts';
import { linksIn } from '../support/hls-bench.ts';
import { eventually } from '../support/processes.ts';
import { startProduct, type Product } from '../support/product.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { Viewer } from '../support/viewer.ts';

/** More by hand: `PROVIDER_LIMIT_OPERATIONS=100000 scripts/test tests/e2e/provider-limits.test.ts`. */
const OPERATIONS = Number(process.env['PROVIDER_LIMIT_OPERATIONS'] ?? 400);
const DEADLINE_MS = Math.max(60_000, OPERATIONS * 30);
const LIMITS = { one: 1, two: 2, three: 3 } as const;
type Account = keyof typeof LIMITS;
const ACCOUNTS = Object.keys(LIMITS) as Account[];

let redis: TestRedis;
let nodes: Product[];
let provider: FakeProvider;

const startNode = (standby: string): Promise<Product> =>
  startProduct({
    roles: 'api',
    env: {
      REDIS_URL: redis.url,
      RETRY_DELAY: '0.1',
      STREAM_LINGER: '1',
      LIVE_STANDBY: standby,
      CLIENT_TIMEOUT: '10',
    },
  });

beforeAll(async () => {
  const made = await media();
  const main = await LoopedTs.open(made.main, made.durationMs);
  redis = await startRedis();
  nodes = await Promise.all([startNode('cold'), startNode('hot')]);
  const members = Object.fromEntries(
    ACCOUNTS.map((name) => [name, { connections: LIMITS[name], answer: 458, releaseMs: 0 }]),
  );
  provider = await startFakeProvider(
    {
      '/1.ts': liveTs(main),
      '/2.ts': liveTs(main),
      '/film.mp4': file(made.main),
      '/h/': hlsLive(main),
    },
    {
      accounts: {
        naming: { path: '/live/:account/:password' },
        members,
        strangers: 401,
      },
    },
  );
}, 60_000);
afterAll(async () => {
  await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));
  await redis[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});

/** The same choices for the same seed. */
function chance(seed: number) {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const below = (count: number): number => Math.floor(next() * count);
  return { below, of: <T>(all: readonly T[]): T => all[below(all.length)] as T };
}

const at = (account: Account, path: string): string => provider.url(`/live/${account}/pw/${path}`);

async function createStream(account: Account, path: string, more: object = {}): Promise<string> {
  const max_connections = LIMITS[account];
  const id = await nodes[0]!.api.createStream({
    url: at(account, path),
    max_connections,
    ...more,
  });
  await eventually('both know the stream', async () =>
    nodes[1]!.api.get(`/streams/${id}`).then(({ status }) => status === 200),
  );
  return id;
}

const streamsOf = async (account: Account) => ({
  live: [
    await createStream(account, '1.ts', { failover_urls: [at(account, '2.ts')] }),
    await createStream(account, '2.ts'),
    await createStream(account, '1.ts', { sharing: 'shared', metadata: { is: 'shared' } }),
  ],
  files: [await createStream(account, 'film.mp4')],
  lists: [await createStream(account, 'h/index.m3u8')],
});

type Streams = Awaited<ReturnType<typeof streamsOf>>;

/** One who zaps, seeks, plays lists, and leaves, at either process, until all is done. */
async function restless(streams: readonly Streams[], seed: number, left: { operations: number }) {
  const { below, of } = chance(seed);
  const seen = { played: 0, refused: 0, other: [] as string[] };
  let watched: Viewer | undefined;
  const note = (viewer: Viewer): void => {
    if ((viewer.status ?? 0) < 300) seen.played += 1;
    else if (viewer.status === 503) seen.refused += 1;
    else seen.other.push(`${viewer.status} ${viewer.body().toString('utf8').slice(0, 200)}`);
  };
  const begin = (path: string): Viewer => new Viewer(`${of(nodes).url}${path}`);
  const zap = async (id: string): Promise<void> => {
    const before = watched;
    const isFirst = below(2) === 0;
    if (isFirst) before?.leave();
    watched = begin(`/stream/${id}`);
    await pause(below(120));
    before?.leave();
    if (below(4) === 0) return;
    await watched.started();
    note(watched);
  };
  const list = async (id: string): Promise<void> => {
    const url = `${of(nodes).url}/hls/${id}/playlist.m3u8?client_id=v${seed}`;
    const playlist = new Viewer(url);
    await playlist.ended(40_000);
    note(playlist);
    const [link] = linksIn(playlist.body().toString('utf8'), url).slice(below(4));
    if (link === undefined) return;
    const segment = new Viewer(link);
    if (below(3) === 0) await segment.ended(40_000);
    else await pause(below(50));
    segment.leave();
  };
  while (left.operations > 0) {
    left.operations -= 1;
    const { live, files, lists } = of(streams);
    const kind = below(10);
    if (kind < 5) await zap(of(live));
    else if (kind < 6) await zap(of(files));
    else if (kind < 7) await list(of(lists));
    else if (kind < 8) watched?.leave();
    else if (kind < 9) provider.cut(of(['/1.ts', '/2.ts']), of(['reset', 'eof']));
    else
      await of(nodes)
        .api.post(`/streams/${live[0]}/failover`, {})
        .catch(() => {});
    await pause(below(30));
  }
  watched?.leave();
  return seen;
}

describe('a place at a provider', () => {
  it('is known to every process, with what it is held for, and is told by its holder', async () => {
    const { live } = await streamsOf('one');
    const [id = '', other = ''] = live;
    const viewer = await new Viewer(`${nodes[0]!.url}/stream/${id}`).reached(1);
    const refused = new Viewer(`${nodes[1]!.url}/stream/${other}`);
    await refused.ended();
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5']);
    const { body } = await nodes[1]!.api.get(`/streams/${other}`);
    const held = [{ use: 'live', stream_id: id }];
    expect(body).toMatchObject({ provider_places: { limit: 1, waiting: 0, held } });
    const { body: stats } = await nodes[0]!.api.get('/stats');
    const host = new URL(provider.url('/')).host;
    expect(stats).toMatchObject({ provider_places: [{ host, use: 'live', stream_id: id }] });
    const metrics = await (await fetch(`${nodes[0]!.url}/metrics`)).text();
    expect(metrics).toContain('penstock_provider_connections{use="live"} 1');
    viewer.leave();
    await eventually('the place is given back', async () => {
      const { body: now } = await nodes[1]!.api.get(`/streams/${other}`);
      return JSON.stringify(now).includes('"held":[]');
    });
  });
});

describe('accounts of a provider, whoever opens connections at two processes', () => {
  it(
    'are never asked for more than they allow, and hold nothing in the end',
    async () => {
      const streams = await Promise.all(ACCOUNTS.map(streamsOf));
      const left = { operations: OPERATIONS };
      const seeds = Array.from({ length: 12 }, (_, n) => 1000 + n);
      const all = await Promise.all(seeds.map((seed) => restless(streams, seed, left)));
      for (const name of ACCOUNTS) {
        const { max_wanted: most, refused } = provider.counts.accounts[name] ?? {};
        expect({ name, most, refused }).toEqual({ name, most: LIMITS[name], refused: 0 });
      }
      expect(all.flatMap(({ other }) => other)).toEqual([]);
      expect(all.reduce((sum, { played }) => sum + played, 0)).toBeGreaterThan(OPERATIONS / 20);
      await eventually('nothing is open', () => provider.open() === 0, 15_000);
      const connection = await redis.connect();
      await eventually('no slot is held', async () => {
        const keys = await connection.keys(`${keysOf('penstock').provider}*:held`);
        const sizes = await Promise.all(keys.map((key) => connection.zcard(key)));
        return sizes.every((size) => size === 0);
      });
    },
    DEADLINE_MS,
  );
});
