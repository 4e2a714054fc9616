import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  answer,
  endlessBody,
  folder,
  gzip,
  hlsLive,
  html200,
  liveTs,
  startFakeProvider,
  text,
} from '../../scripts/faultd.d/fake-provider.ts';
import { curl, playWithFfmpeg } from '../support/players.ts';
import { eventually } from '../support/processes.ts';
import { useProduct } from '../support/use-product.ts';
import { fetchOnce } from '../support/viewer.ts';

const stage = useProduct({
  env: {
    CLIENT_TIMEOUT: '1',
    HLS_SEGMENT_SECONDS: '1',
    LOG_LEVEL: 'debug',
    SEGMENT_DISK_BYTES: '100000000',
  },
});

const playable = async (stream: Record<string, unknown>): Promise<{ id: string; url: string }> => {
  const id = await stage.product.api.createStream(stream);
  return { id, url: `${stage.product.url}/hls/${id}/playlist.m3u8` };
};

const viewersOf = async (id: string): Promise<number> => {
  const { body } = await stage.product.api.get(`/streams/${id}`);
  return Number(body['client_count']);
};

const ENCRYPTED =
  '#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-KEY:METHOD=AES-128,URI="the.key"\n' +
  '#EXTINF:6,\na.ts\n#EXT-X-ENDLIST\n';

/** Nothing of a file that has been moved or removed since it was listed. */
function contents(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return Buffer.alloc(0);
    throw error;
  }
}

/** Whether any file of a folder, or below it, has these bytes in it. */
const isBelow = (path: string, bytes: Buffer): boolean =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .some((entry) => contents(join(entry.parentPath, entry.name)).includes(bytes));

/** Addresses of a playlist, made absolute. */
const childrenOf = (playlist: string, url: string): readonly string[] =>
  playlist
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => new URL(line, url).href);

// A stream each, at one product.
describe.concurrent('HLS', () => {
  it.each(['ts', 'fmp4', 'aes', 'byterange', 'master'] as const)(
    'plays a film without a complaint: %s',
    async (format) => {
      await using provider = await startFakeProvider({ '/film/': folder(stage.media.hls[format]) });
      const { url } = await playable({ url: provider.url('/film/index.m3u8') });
      const played = await playWithFfmpeg(url);
      expect(played).toMatchObject({ complaints: [], exitCode: 0 });
      expect(played.pictures).toBe(200);
    },
  );

  it('writes the key of an encrypted stream nowhere: not into its log, not to its disk', async () => {
    const key = randomBytes(16);
    const body = randomBytes(100_000);
    await using provider = await startFakeProvider({
      '/f/index.m3u8': text(ENCRYPTED, 'application/vnd.apple.mpegurl'),
      '/f/the.key': answer(() => ({ body: key })),
      '/f/a.ts': answer(() => ({ body, headers: { 'content-type': 'video/mp2t' } })),
    });
    const { url } = await playable({ url: provider.url('/f/index.m3u8') });
    const playlist = await (await fetch(url)).text();
    const [, keyUrl = ''] = /URI="([^"]+)"/.exec(playlist) ?? [];
    for (const name of [keyUrl, keyUrl, ...childrenOf(playlist, url)]) {
      const got = Buffer.from(await (await fetch(new URL(name, url))).arrayBuffer());
      expect(got.equals(name === keyUrl ? key : body)).toBe(true);
    }
    const { dataDir } = stage.product;
    await eventually('the segment is on disk', () => isBelow(dataDir, body.subarray(0, 64)));
    expect(stage.product.output()).toContain('segment.ts');
    // The other is that of the film that ffmpeg has played above.
    for (const one of [key, await readFile(join(stage.media.hls.aes, 'key.bin'))]) {
      for (const form of ['hex', 'base64', 'base64url'] as const) {
        const written = one.toString(form);
        expect(stage.product.output().toLowerCase()).not.toContain(written.toLowerCase());
        expect(isBelow(dataDir, Buffer.from(written))).toBe(false);
      }
      expect(isBelow(dataDir, one)).toBe(false);
    }
  });

  it.each([
    ['clear', false],
    ['encrypted', true],
  ])('plays a live channel: %s', async (_name, encrypted) => {
    await using provider = await startFakeProvider({ '/l/': hlsLive(stage.main, { encrypted }) });
    const { url } = await playable({ url: provider.url('/l/index.m3u8') });
    const played = await playWithFfmpeg(url, { seconds: 6 });
    expect(played).toMatchObject({ complaints: [], exitCode: 0 });
    expect(played.pictures).toBeGreaterThan(140);
  });

  it('goes on from the backup when its provider dies, with the same player', async () => {
    await using provider = await startFakeProvider({ '/l/': hlsLive(stage.main) });
    await using backup = await startFakeProvider({ '/l/': hlsLive(stage.other) });
    const { id, url } = await playable({
      url: provider.url('/l/index.m3u8'),
      failover_urls: [backup.url('/l/index.m3u8')],
    });
    const playing = playWithFfmpeg(url, { seconds: 9 });
    await provider.until(() => provider.requests.length > 5);
    await provider.down();
    const { pictures, exitCode } = await playing;
    expect(exitCode).toBe(0);
    expect(pictures).toBeGreaterThan(150);
    expect(backup.requestsOf('/l/').length).toBeGreaterThan(4);
    const told = stage.sink.of('failover_triggered', id);
    expect(told).toHaveLength(1);
    expect(told[0]?.data).toMatchObject({ gap_ms: expect.any(Number) });
    expect(stage.sink.of('client_connected', id)).toHaveLength(1);
  });

  it('gives a live playlist as a transport stream to a player that asks for one', async () => {
    await using provider = await startFakeProvider({ '/l/': hlsLive(stage.main) });
    const { id } = await playable({ url: provider.url('/l/index.m3u8') });
    const stream = `${stage.product.url}/m3u-proxy/stream/${id}?username=ann`;
    expect(await curl('--head', stream)).toMatch(/^HTTP\/1.1 200[^]*video\/mp2t/i);
    const played = await playWithFfmpeg(stream, { seconds: 4 });
    expect(played).toMatchObject({ complaints: [], exitCode: 0 });
    expect(played.pictures).toBeGreaterThan(90);
    const { body } = await stage.product.api.get(`/streams/${id}`);
    expect(body['stream']).toMatchObject({ stream_type: 'HLS' });
  });

  it('cuts a live transport stream into segments for a player that asks for HLS', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const { id, url } = await playable({ url: provider.url('/live.ts') });
    const played = await playWithFfmpeg(url, { seconds: 4 });
    expect(played).toMatchObject({ complaints: [], exitCode: 0 });
    expect(played.pictures).toBeGreaterThan(90);
    expect(provider.requests).toHaveLength(1);
    await eventually('nobody reads', async () => provider.open() === 0, 30_000);
    expect(stage.sink.of('client_connected', id)).toHaveLength(1);
    await stage.sink.event('stream_stopped', id);
  });

  it('names every child in one way that shows nothing of the source', async () => {
    await using provider = await startFakeProvider({ '/u/hunter2/': folder(stage.media.hls.aes) });
    const { url } = await playable({ url: provider.url('/u/hunter2/index.m3u8') });
    const { body: first } = await textOf(url);
    const { body: second } = await textOf(url);
    expect(first).toBe(second);
    expect(first).not.toMatch(/hunter2|127\.0\.0\.1/);
    for (const child of childrenOf(first, url)) {
      expect(new URL(child).pathname).toMatch(/\/hls\/[0-9a-f]{32}\/segment\.ts$/);
    }
    const [segment = ''] = childrenOf(first, url);
    const forged = segment.replace(/(?<=[?]h=.{9})./, (letter) => (letter === 'A' ? 'B' : 'A'));
    expect((await textOf(forged)).status).toBe(403);
    expect(stage.product.output()).not.toContain('hunter2');
  });

  it('passes statuses, types and ranges of segments on', async () => {
    await using provider = await startFakeProvider({ '/film/': folder(stage.media.hls.ts) });
    const { url } = await playable({ url: provider.url('/film/index.m3u8') });
    const [segment = ''] = childrenOf((await textOf(url)).body, url);
    const part = await fetchOnce(segment, { headers: { range: 'bytes=188-375' } });
    expect({ status: part.status, bytes: part.bytes }).toEqual({ status: 206, bytes: 188 });
    expect(part.headers['content-type']).toBe('video/mp2t');
    expect(part.headers['content-range']).toMatch(/^bytes 188-375\//);
  });

  it('reads a playlist that comes compressed', async () => {
    await using provider = await startFakeProvider({ '/film/': folder(stage.media.hls.ts) });
    provider.setFault('/film/index.m3u8', gzip());
    const { url } = await playable({ url: provider.url('/film/index.m3u8') });
    expect((await playWithFfmpeg(url)).pictures).toBe(200);
  });

  it.each([
    ['a page', html200()],
    ['a body without end', endlessBody()],
    ['text without end', endlessBody('hello ')],
  ])('answers 502, and does not grow, when %s comes for a playlist', async (_name, fault) => {
    await using provider = await startFakeProvider({ '/film/': folder(stage.media.hls.ts) });
    provider.setFault('/film/index.m3u8', fault);
    const { url } = await playable({ url: provider.url('/film/index.m3u8') });
    const { status, body } = await textOf(url);
    expect({ status, problem: body.includes('"code"') }).toEqual({ status: 502, problem: true });
    await provider.until(() => provider.open() === 0, 1_000);
    expect(provider.requests.reduce((sum, { sentBytes }) => sum + sentBytes, 0)).toBeLessThan(
      2 ** 28,
    );
  });

  it('counts a viewer while it polls, once, and no longer when it has stopped', async () => {
    await using provider = await startFakeProvider({ '/l/': hlsLive(stage.main) });
    const { id, url } = await playable({ url: provider.url('/l/index.m3u8') });
    for (let polls = 0; polls < 3; polls += 1) {
      const [segment = ''] = childrenOf((await textOf(url)).body, url);
      await fetchOnce(segment);
      expect(await viewersOf(id)).toBe(1);
    }
    await eventually('the viewer is gone', async () => (await viewersOf(id)) === 0, 5_000);
    await stage.sink.event('stream_stopped', id);
    expect(stage.sink.of('client_connected', id)).toHaveLength(1);
    expect(stage.sink.of('client_disconnected', id)).toHaveLength(1);
    expect(stage.sink.of('stream_stopped', id)).toHaveLength(1);
  });

  it('counts a viewer no longer that an app has removed', async () => {
    await using provider = await startFakeProvider({ '/l/': hlsLive(stage.main) });
    const { id, url } = await playable({ url: provider.url('/l/index.m3u8') });
    const named = `${url}?client_id=guest`;
    await textOf(named);
    expect(await viewersOf(id)).toBe(1);
    await stage.product.api.delete(`/hls/${id}/clients/guest`);
    expect(await viewersOf(id)).toBe(0);
    await stage.sink.event('stream_stopped', id);
  });

  it('sends the headers of the stream with every child', async () => {
    await using provider = await startFakeProvider({ '/film/': folder(stage.media.hls.aes) });
    const { url } = await playable({
      url: provider.url('/film/index.m3u8'),
      user_agent: 'Set-by-app/2',
      headers: { 'X-Token': 't' },
    });
    await playWithFfmpeg(url);
    expect(provider.requestsOf('/film/key.bin').length).toBeGreaterThan(0);
    for (const { headers } of provider.requests) {
      expect(headers).toMatchObject({ 'user-agent': 'Set-by-app/2', 'x-token': 't' });
    }
  });
});

async function textOf(url: string): Promise<{ status: number | undefined; body: string }> {
  const viewer = await fetchOnce(url);
  return { status: viewer.status, body: viewer.body().toString() };
}
