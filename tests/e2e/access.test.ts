import { describe, expect, it } from 'vitest';
import { liveTs, startFakeProvider, text } from '../../scripts/faultd.d/fake-provider.ts';
import type { Routes } from '../../scripts/faultd.d/fake-provider.ts';
import { linksIn } from '../support/hls-bench.ts';
import { playWithFfmpeg } from '../support/players.ts';
import { eventually } from '../support/processes.ts';
import { startProduct } from '../support/product.ts';
import { useProduct } from '../support/use-product.ts';
import { watch } from '../support/viewer.ts';

type Watched = ReturnType<typeof watch>;

const FIXED_KEY = 'a-key-of-the-setting';
const env = {
  DELIVERY_ACCESS: 'link-or-key',
  STREAM_KEYS: `Kitchen=${FIXED_KEY}`,
  LOG_LEVEL: 'debug',
};
const stage = useProduct({ env });

const LIST = '#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nseg.ts\n';
const routes = (): Routes => ({
  '/live.ts': liveTs(stage.main),
  '/l/index.m3u8': text(LIST, 'application/vnd.apple.mpegurl'),
  // A segment that has no end.
  '/l/seg.ts': liveTs(stage.main),
});

const at = (path: string): string => `${stage.product.url}${path}`;

const statusOf = async (path: string, headers: Record<string, string> = {}): Promise<number> => {
  const response = await fetch(at(path), { headers, redirect: 'manual' });
  await response.body?.cancel();
  return response.status;
};

async function keyNamed(name: string): Promise<{ id: string; key: string }> {
  const { body } = await stage.product.api.post('/access/keys', { name });
  return { id: String(body['id']), key: String(body['key']) };
}

async function usernames(id: string): Promise<unknown> {
  const { body } = await stage.product.api.get(`/streams/${id}`);
  return (body['clients'] as { username: string }[]).map(({ username }) => username);
}

const basic = (password: string) => ({
  Authorization: `Basic ${Buffer.from(`anyone:${password}`).toString('base64')}`,
});

describe('a stream key', () => {
  it('is taken from path, query, Basic and Bearer, and nothing else lets anybody in', async () => {
    await using provider = await startFakeProvider(routes());
    const id = await stage.product.api.createStream({ url: provider.url('/l/index.m3u8') });
    const path = `/hls/${id}/playlist.m3u8`;
    const { key } = await keyNamed('Ann');
    for (const one of [key, FIXED_KEY]) {
      expect(await statusOf(`${path}?stream_key=${one}`)).toBe(200);
      expect(await statusOf(`/key/${one}${path}`)).toBe(200);
      expect(await statusOf(`/m3u-proxy/key/${one}${path}`)).toBe(200);
      expect(await statusOf(path, basic(one))).toBe(200);
      expect(await statusOf(path, { Authorization: `Bearer ${one}` })).toBe(200);
    }
    const refused = await fetch(at(path));
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
    expect(refused.headers.get('x-proxy-error')).toBe('ACCESS_REQUIRED');
    for (const other of [`${path}?stream_key=x`, `/key/x${path}`, `/stream/${id}`]) {
      expect(await statusOf(other)).toBe(401);
    }
    expect((await fetch(at(`/stream/${id}`), { method: 'HEAD' })).status).toBe(401);
    expect(await statusOf(`/stream/${'0'.repeat(32)}`)).toBe(401);
    expect(stage.product.output()).not.toContain(key);
    expect(stage.product.output()).not.toContain(FIXED_KEY);
  });

  it('gives its viewers its name, stands in no link, and ends them when it is revoked', async () => {
    await using provider = await startFakeProvider(routes());
    const live = await stage.product.api.createStream({ url: provider.url('/live.ts') });
    const hls = await stage.product.api.createStream({ url: provider.url('/l/index.m3u8') });
    const { id, key } = await keyNamed('Bob');
    const url = at(`/hls/${hls}/playlist.m3u8?stream_key=${key}`);
    const playlist = await (await fetch(url)).text();
    expect(playlist).not.toContain(key);
    const [link = ''] = linksIn(playlist, url);
    await using viewer = watch(at(`/stream/${live}?stream_key=${key}&username=Mallory`));
    await viewer.reached(10_000);
    await using segment = watch(link);
    await segment.reached(10_000);
    expect(await usernames(live)).toEqual(['Bob']);
    expect(await usernames(hls)).toEqual(['Bob']);
    const startedMs = performance.now();
    await stage.product.api.delete(`/access/keys/${id}`);
    await Promise.all([segment.ended(), viewer.ended()]);
    expect(performance.now() - startedMs).toBeLessThan(1000);
    expect(await statusOf(`/hls/${hls}/playlist.m3u8?stream_key=${key}`)).toBe(401);
    expect((await fetch(link)).status).toBe(403);
  });
});

describe('a stream key that is revoked at one of two api processes', () => {
  it('ends its viewers at both within a second, and lets nobody in at either', async () => {
    await using provider = await startFakeProvider(routes());
    const { product } = stage;
    const redis = `unix://${product.dataDir}/redis/redis.sock`;
    await using other = await startProduct({ roles: 'api', env: { ...env, REDIS_URL: redis } });
    const live = await product.api.createStream({ url: provider.url('/live.ts') });
    const hls = await product.api.createStream({ url: provider.url('/l/index.m3u8') });
    const { id, key } = await keyNamed('Eve');
    const both = [product.url, other.url];
    const watched: Watched[] = [];
    const links: string[] = [];
    for (const node of both) {
      const playlist = `${node}/hls/${hls}/playlist.m3u8?client_id=me&stream_key=${key}`;
      await eventually('it is let in', async () => (await fetch(playlist)).status === 200);
      const [link = ''] = linksIn(await (await fetch(playlist)).text(), playlist);
      links.push(link);
      watched.push(watch(link), watch(`${node}/stream/${live}?stream_key=${key}`));
    }
    for (const viewer of watched) await viewer.reached(10_000);
    const startedMs = performance.now();
    await other.api.delete(`/access/keys/${id}`);
    await Promise.all(watched.map((viewer) => viewer.ended()));
    for (const node of both) {
      for (const path of [`/hls/${hls}/playlist.m3u8`, `/stream/${live}`]) {
        expect((await fetch(`${node}${path}?stream_key=${key}`)).status).toBe(401);
      }
    }
    for (const link of links) expect((await fetch(link)).status).toBe(403);
    expect(performance.now() - startedMs).toBeLessThan(1000);
    await eventually('no upstream is left', () => provider.open() === 0);
  });
});

const linkTo = async (id: string, wish: Record<string, number>) => {
  const { body } = await stage.product.api.post(`/streams/${id}/links`, wish);
  return body as { stream_url: string; playlist_url: string; query: string };
};

describe('a signed link', () => {
  it('plays, with all that its playlists lead to, in a real player', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const id = await stage.product.api.createStream({ url: provider.url('/live.ts') });
    const { stream_url: path } = await linkTo(id, { start_within: 60, stop_after: 60 });
    const played = await playWithFfmpeg(at(path), { seconds: 1 });
    expect(played).toMatchObject({ complaints: [], exitCode: 0 });
  });

  it('is refused for another stream and with one bit changed', async () => {
    await using provider = await startFakeProvider(routes());
    const one = await stage.product.api.createStream({ url: provider.url('/l/index.m3u8') });
    const other = await stage.product.api.createStream({ url: provider.url('/live.ts') });
    const { query, playlist_url: path } = await linkTo(one, { stop_after: 60 });
    expect(await statusOf(path)).toBe(200);
    expect(await statusOf(`/stream/${other}?${query}`)).toBe(403);
    expect(await statusOf(path.replace(/stop_at=\d/, 'stop_at=9'))).toBe(403);
    expect(await statusOf(`/hls/${one}/playlist.m3u8`)).toBe(401);
  });

  it('ends at its time what is being watched, and lets nobody in after it', async () => {
    await using provider = await startFakeProvider(routes());
    const live = await stage.product.api.createStream({ url: provider.url('/live.ts') });
    const { stream_url: path } = await linkTo(live, { stop_after: 1 });
    await using viewer = watch(at(path));
    await viewer.reached(10_000);
    expect(await viewer.ended()).toBe('clean');
    await eventually('it is refused', async () => (await statusOf(path)) === 403);
  });

  it('outlives three rotations of the secret in a row, as do the links of its playlists', async () => {
    await using provider = await startFakeProvider(routes());
    const id = await stage.product.api.createStream({ url: provider.url('/l/index.m3u8') });
    const { playlist_url: path } = await linkTo(id, {});
    const playlist = await (await fetch(at(path))).text();
    for (let rotations = 0; rotations < 3; rotations += 1) {
      const { status } = await stage.product.api.post('/access/secret/rotate');
      expect(status).toBe(200);
    }
    expect(await statusOf(path)).toBe(200);
    const [link = ''] = linksIn(playlist, at(path));
    const segment = await fetch(link);
    expect(segment.status).toBe(200);
    await segment.body?.cancel();
  });
});
