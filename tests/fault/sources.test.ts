import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { selfSignedCertificate } from '../../scripts/faultd.d/certificate.ts';
import {
  connectionLimit,
  eofAfter,
  file,
  folder,
  hlsLive,
  html200,
  liveTs,
  notHttp,
  redirectLoop,
  refusedUrl,
  resetAfter,
  slowBody,
  slowHeaders,
  stallAfter,
  startFakeProvider,
  status,
  times,
  truncateAfter,
  unknownHostUrl,
  wrongLength,
  type FakeProvider,
  type Fault,
} from '../../scripts/faultd.d/fake-provider.ts';
import { playWithFfmpeg } from '../support/players.ts';
import { useProduct } from '../support/use-product.ts';
import { fetchOnce, watch, type Viewer } from '../support/viewer.ts';

/** Patience of a second, so that every fault is noticed in a test's time. */
const stage = useProduct({
  env: {
    DEFAULT_CONNECTION_TIMEOUT: '2',
    DEFAULT_READ_TIMEOUT: '1',
    LIVE_CHUNK_TIMEOUT_SECONDS: '1',
    STREAM_RETRY_ATTEMPTS: '1',
    STREAM_RETRY_DELAY: '0.1',
    STREAM_TOTAL_TIMEOUT: '4',
  },
});

/** What a source does instead of answering as it should, and what a viewer is told of it. */
const BEFORE_THE_FIRST_BYTE: readonly (readonly [string, Fault, number])[] = [
  ['401', status(401), 502],
  ['403', status(403), 502],
  ['404', status(404), 502],
  ['429 with patience', status(429, { 'retry-after': '1' }), 502],
  ['500', status(500), 502],
  ['503', status(503), 502],
  ['no headers', slowHeaders(20_000), 504],
  ['no first byte', slowBody(20_000), 504],
  ['a page with status 200', html200(), 502],
  ['redirects in circles', redirectLoop(), 502],
  ['no HTTP', notHttp(), 502],
  ['a reset', resetAfter(0), 502],
  ['a close', truncateAfter(0), 502],
  ['no place left', connectionLimit(0, 458), 502],
];

/** Addresses that lead nowhere. */
const ADDRESSES: readonly (readonly [string, () => Promise<string>])[] = [
  ['a closed port', () => refusedUrl('/live.ts')],
  ['an unknown name', () => Promise.resolve(unknownHostUrl('/live.ts'))],
];

const create = (stream: Record<string, unknown>): Promise<string> =>
  stage.product.api.createStream(stream);

const problemOf = (body: Buffer): Record<string, unknown> =>
  JSON.parse(body.toString()) as Record<string, unknown>;

type Pair = { readonly primary: FakeProvider; readonly backup: FakeProvider };

/** Two providers with the same things to offer, of which the first has a fault. */
async function withPair(path: string, fault: Fault, run: (pair: Pair) => Promise<void>) {
  const { main, other, media } = stage;
  const film = file(media.mp4);
  const list = { '/film/': folder(media.hls.ts), '/film.mp4': film, '/channel/': hlsLive(main) };
  await using primary = await startFakeProvider({ '/live.ts': liveTs(main), ...list });
  await using backup = await startFakeProvider({ '/live.ts': liveTs(other), ...list });
  primary.setFault(path, fault);
  await run({ primary, backup });
}

const pairOf = ({ primary, backup }: Pair, path: string) => ({
  url: primary.url(path),
  failover_urls: [backup.url(path)],
});

/** A player that asks for the playlist and for what is new in it, until it has seen enough. */
async function pollUntil(url: string, isEnough: () => boolean): Promise<readonly Viewer[]> {
  const segments: Viewer[] = [];
  const known = new Set<string>();
  for (let polls = 0; polls < 20 && !isEnough(); polls += 1) {
    const playlist = (await fetchOnce(url)).body().toString();
    const fresh = playlist
      .split('\n')
      .filter((line) => line.startsWith('segment') && !known.has(line));
    for (const line of fresh.slice(-2)) {
      known.add(line);
      segments.push(await fetchOnce(new URL(line, url).href));
    }
  }
  return segments;
}

describe.concurrent('a live source that fails before the first byte', () => {
  it.each(BEFORE_THE_FIRST_BYTE)('is passed over for the backup: %s', async (_name, fault) => {
    await withPair('/live.ts', fault, async (pair) => {
      const id = await create(pairOf(pair, '/live.ts'));
      await using viewer = watch(`${stage.product.url}/stream/${id}`);
      await viewer.reached(30_000);
      expect(viewer.status).toBe(200);
      expect(viewer.body()[0]).toBe(0x47);
      expect(pair.backup.requests).toHaveLength(1);
      expect(pair.primary.open()).toBe(0);
    });
  });

  it.each(BEFORE_THE_FIRST_BYTE)('is told as it is without one: %s', async (_name, fault, code) => {
    await withPair('/live.ts', fault, async ({ primary }) => {
      const id = await create({ url: primary.url('/live.ts') });
      const viewer = await fetchOnce(`${stage.product.url}/stream/${id}`);
      expect(viewer.status).toBe(code);
      expect(problemOf(viewer.body())).toMatchObject({ status: code, code: expect.any(String) });
      expect(primary.requests.length).toBeLessThan(20);
      await stage.sink.event('stream_failed', id);
    });
  });

  it.each(ADDRESSES)(
    'is passed over at %s, and told as 502 without a backup',
    async (_name, at) => {
      const url = await at();
      await withPair('/none', html200(), async ({ backup }) => {
        const id = await create({ url, failover_urls: [backup.url('/live.ts')] });
        await using viewer = watch(`${stage.product.url}/stream/${id}`);
        await viewer.reached(30_000);
        const alone = await create({ url: `${await at()}?alone` });
        expect((await fetchOnce(`${stage.product.url}/stream/${alone}`)).status).toBe(502);
      });
    },
  );

  it('is passed over when nobody vouches for its certificate', async () => {
    const certificate = selfSignedCertificate();
    const routes = { '/live.ts': liveTs(stage.main) };
    await using primary = await startFakeProvider(routes, { certificate });
    await using backup = await startFakeProvider(routes);
    const id = await create(pairOf({ primary, backup }, '/live.ts'));
    await using viewer = watch(`${stage.product.url}/stream/${id}`);
    await viewer.reached(30_000);
    const alone = await create({ url: primary.url('/live.ts?alone') });
    const { status: code, ...told } = await fetchOnce(`${stage.product.url}/stream/${alone}`);
    expect(told).toBeDefined();
    expect(code).toBe(502);
    expect(primary.requests).toHaveLength(0);
  });
});

describe.concurrent('a live source that breaks off', () => {
  it.each([
    ['a stall', stallAfter(200_032)],
    ['a reset', resetAfter(200_032)],
    ['a close', truncateAfter(200_032)],
    ['an end', eofAfter(200_032)],
    ['a stall in the middle of a packet', stallAfter(200_100)],
  ])('is followed by the backup within the same response: %s', async (_name, fault) => {
    await withPair('/live.ts', fault, async (pair) => {
      const id = await create(pairOf(pair, '/live.ts'));
      await using viewer = watch(`${stage.product.url}/stream/${id}`);
      await pair.backup.until(() => pair.backup.open() === 1, 8_000);
      await viewer.more(100_000);
      expect(viewer.ending).toBeUndefined();
      expect(viewer.bytes % 188).toBe(0);
      expect(pair.primary.open()).toBe(0);
      const { data } = await stage.sink.event('failover_triggered', id);
      expect(data).toMatchObject({ client_count: 1, failover_index: 0 });
    });
  });

  it.each([
    ['a stall', 'stall'],
    ['a reset', 'reset'],
    ['a close', 'truncate'],
    ['an end', 'eof'],
  ] as const)('is asked again where it is the only one: %s', async (_name, how) => {
    await withPair('/none', html200(), async ({ primary }) => {
      const id = await create({ url: primary.url('/live.ts') });
      await using viewer = watch(`${stage.product.url}/stream/${id}`);
      await viewer.reached(50_000);
      primary.cut('/live.ts', how);
      await primary.until(() => primary.requests.length === 2 && primary.open() === 1);
      await viewer.more(100_000);
      expect(viewer.ending).toBeUndefined();
    });
  });

  it('breaks its viewers off, visibly, when it stays away for too long', async () => {
    await withPair('/none', html200(), async ({ primary }) => {
      const id = await create({ url: primary.url('/live.ts') });
      await using viewer = watch(`${stage.product.url}/stream/${id}`);
      await viewer.reached(50_000);
      await primary.down();
      expect(await viewer.ended(12_000)).toBe('broken');
      const { data } = await stage.sink.event('stream_stopped', id);
      expect(data).toMatchObject({ reason: 'sources_failed' });
      expect(stage.sink.of('stream_failed', id)).toHaveLength(1);
      expect(stage.sink.of('stream_stopped', id)).toHaveLength(1);
    });
  });
});

describe.concurrent('a file whose source fails', () => {
  it.each(BEFORE_THE_FIRST_BYTE)(
    'before its first byte comes from the backup: %s',
    async (_name, fault) => {
      await withPair('/film.mp4', fault, async (pair) => {
        const id = await create(pairOf(pair, '/film.mp4'));
        const viewer = await fetchOnce(`${stage.product.url}/stream/${id}`);
        expect(viewer.status).toBe(200);
        expect(viewer.body().equals(await readFile(stage.media.mp4))).toBe(true);
      });
    },
  );

  it.each([
    ['a stall', stallAfter(300_000)],
    ['a reset', resetAfter(300_000)],
    ['a close', truncateAfter(300_000)],
    ['an early end', eofAfter(300_000)],
    ['a length that is too long', wrongLength(1_000)],
  ])('in the middle goes on from the backup at the right byte: %s', async (_name, fault) => {
    await withPair('/film.mp4', fault, async (pair) => {
      const id = await create(pairOf(pair, '/film.mp4'));
      const viewer = await fetchOnce(`${stage.product.url}/stream/${id}`, {
        headers: { range: 'bytes=1000-' },
      });
      const bytes = await readFile(stage.media.mp4);
      const isLonger = viewer.bytes > bytes.length - 1_000;
      // A length that lies cannot be made true; what has to hold is that no byte is wrong.
      if (fault.kind === 'wrong-length') expect(isLonger).toBe(false);
      else
        expect({ status: viewer.status, ending: viewer.ending }).toEqual({
          status: 206,
          ending: 'clean',
        });
      expect(viewer.body().equals(bytes.subarray(1_000, 1_000 + viewer.bytes))).toBe(true);
      if (fault.kind !== 'wrong-length') expect(viewer.bytes).toBe(bytes.length - 1_000);
    });
  });
});

describe.concurrent('HLS whose source fails', () => {
  it.each(BEFORE_THE_FIRST_BYTE)(
    'at the playlist plays from the backup: %s',
    async (_name, fault) => {
      await withPair('/film/index.m3u8', fault, async (pair) => {
        const id = await create(pairOf(pair, '/film/index.m3u8'));
        const url = `${stage.product.url}/hls/${id}/playlist.m3u8`;
        const playlist = await fetchOnce(url);
        expect(playlist.status).toBe(200);
        expect(playlist.body().toString()).toMatch(/^#EXTM3U/);
        expect(pair.backup.requests.length).toBeGreaterThan(0);
      });
    },
  );

  it.each([
    ['no headers', slowHeaders(20_000)],
    ['a stall', stallAfter(100_000)],
    ['a reset', resetAfter(100_000)],
    ['a close', truncateAfter(100_000)],
    ['no HTTP', notHttp()],
  ])('once at a segment loses no picture: %s', async (_name, fault) => {
    await withPair('/film/seg1.ts', times(1, fault), async (pair) => {
      const id = await create(pairOf(pair, '/film/index.m3u8'));
      const url = `${stage.product.url}/hls/${id}/playlist.m3u8`;
      const { pictures, exitCode } = await playWithFfmpeg(url);
      expect({ pictures, exitCode }).toEqual({ pictures: 200, exitCode: 0 });
      expect(pair.primary.requestsOf('/film/seg1.ts')).toHaveLength(2);
    });
  });

  it.each([
    ['404', status(404)],
    ['503', status(503)],
    ['a page with status 200', html200()],
    ['no HTTP', notHttp()],
    ['a close', truncateAfter(20_000)],
  ])('at every segment of a channel goes on from the backup: %s', async (_name, fault) => {
    await withPair('/channel/seg*', fault, async (pair) => {
      const id = await create(pairOf(pair, '/channel/index.m3u8'));
      const url = `${stage.product.url}/hls/${id}/playlist.m3u8`;
      const segments = await pollUntil(url, () => pair.backup.requestsOf('/channel/').length > 1);
      expect(segments.at(-1)?.status).toBe(200);
      expect(segments.at(-1)?.body()[0]).toBe(0x47);
    });
  });

  it.each(BEFORE_THE_FIRST_BYTE)(
    'is told as it is without a backup: %s',
    async (_name, fault, code) => {
      await withPair('/film/index.m3u8', fault, async ({ primary }) => {
        const id = await create({ url: primary.url('/film/index.m3u8') });
        const viewer = await fetchOnce(`${stage.product.url}/hls/${id}/playlist.m3u8`);
        expect(viewer.status).toBe(code);
        expect(problemOf(viewer.body())).toMatchObject({ status: code, code: expect.any(String) });
      });
    },
  );
});
