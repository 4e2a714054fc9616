import { describe, expect, it } from 'vitest';
import { answer, liveTs, startFakeProvider, text } from '../../scripts/faultd.d/fake-provider.ts';
import { linksIn } from '../support/hls-bench.ts';
import { PLAYLIST_TYPE, title } from '../support/hls-titles.ts';
import { useProduct } from '../support/use-product.ts';
import { fetchOnce, watch } from '../support/viewer.ts';

const stage = useProduct({ env: { SEGMENT_LOOK_AHEAD: '0' } });

/** What sockets hold on the way to a viewer that reads at once. */
const ON_THE_WAY_BYTES = 1_000_000;
const LIST = '#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nseg.ts\n';

type Listed = { readonly client_id: string; readonly bytes_served: number; readonly hls: unknown };

async function listed(): Promise<readonly Listed[]> {
  const { body } = await stage.product.api.get('/clients');
  return body['clients'] as readonly Listed[];
}

const bytesOf = async (clientId: string): Promise<number> =>
  (await listed()).find(({ client_id }) => client_id === clientId)?.bytes_served ?? 0;

async function kick(id: string, clientId: string): Promise<void> {
  await stage.product.api.delete(`/hls/${id}/clients/${clientId}`);
}

describe('a viewer that is kicked', () => {
  it.each([
    ['a live transport stream', '/live.ts', (id: string) => `/stream/${id}?client_id=one`],
    ['a live playlist', '/l/index.m3u8', (id: string) => `/hls/${id}/playlist.m3u8?client_id=one`],
  ])(
    'of %s is cut off at once, refused, and told of once, with its bytes',
    async (_name, path, at) => {
      await using provider = await startFakeProvider({
        '/live.ts': liveTs(stage.main),
        '/l/index.m3u8': text(LIST, PLAYLIST_TYPE),
        // A segment that has no end.
        '/l/seg.ts': liveTs(stage.main),
      });
      const id = await stage.product.api.createStream({ url: provider.url(path) });
      const url = stage.product.url + at(id);
      const [link] = path.endsWith('.m3u8') ? linksIn(await (await fetch(url)).text(), url) : [];
      await using viewer = watch(link ?? url);
      await viewer.reached(200_000);
      const startedMs = performance.now();
      await kick(id, 'one');
      await viewer.ended();
      expect(performance.now() - startedMs).toBeLessThan(1000);
      for (const again of [url, link ?? url]) {
        const refused = await fetch(again);
        expect(refused.status).toBe(403);
        expect(await refused.json()).toMatchObject({ code: 'VIEWER_KICKED' });
      }
      const left = await stage.sink.event('client_disconnected', id);
      const bytes = Number(left.data['bytes_served']);
      expect(bytes).toBeGreaterThanOrEqual(viewer.bytes);
      expect(bytes).toBeLessThan(viewer.bytes + ON_THE_WAY_BYTES);
      await stage.sink.event('stream_stopped', id);
      expect(stage.sink.of('client_disconnected', id)).toHaveLength(1);
      await provider.until(() => provider.open() === 0, 2_000);
    },
  );
});

describe('what is counted', () => {
  it('of a live stream of a known rate is what came, in bytes and per second', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const id = await stage.product.api.createStream({ url: provider.url('/live.ts') });
    await using viewer = watch(`${stage.product.url}/stream/${id}?client_id=meter`);
    await viewer.reached(200_000);
    const [from, fromMs] = [await bytesOf('meter'), performance.now()];
    await viewer.more(stage.main.bytesPerMs * 2_500);
    const [to, toMs] = [await bytesOf('meter'), performance.now()];
    expect(Math.abs(to - viewer.bytes)).toBeLessThan(viewer.bytes * 0.01 + 65_536);
    const rate = (to - from) / (toMs - fromMs);
    // Within a burst of the stream: what is measured lasts only seconds here.
    expect(Math.abs(rate / stage.main.bytesPerMs - 1)).toBeLessThan(0.15);
  });

  it('of segments is exact: bytes for each viewer, fetches, hits, and what the source sent', async () => {
    const { routes, bodies } = title(6, { sizeBytes: 50_000 });
    await using provider = await startFakeProvider({ ...routes, '/x': answer(() => ({})) });
    const id = await stage.product.api.createStream({ url: provider.url('/v/index.m3u8') });
    for (const viewer of ['a', 'b', 'c']) {
      const url = `${stage.product.url}/hls/${id}/playlist.m3u8?client_id=${viewer}`;
      for (const link of linksIn(await (await fetch(url)).text(), url)) await fetchOnce(link);
    }
    const sizes = bodies.reduce((sum, { length }) => sum + length, 0);
    const { body } = await stage.product.api.get(`/streams/${id}`);
    expect(body['hls']).toMatchObject({
      segments: { requests: 18, bytes: 3 * sizes, fetched: 6, cache_hits: 12, coalesced: 0 },
    });
    const own = (await listed()).filter(({ client_id }) => /^[abc]$/.test(client_id));
    expect(own.map(({ client_id, hls }) => [client_id, hls])).toEqual(
      ['a', 'b', 'c'].map((name) => [
        name,
        expect.objectContaining({
          requests: 6,
          bytes: sizes,
          cache_hits: name === 'a' ? 0 : 6,
          fetched: name === 'a' ? 6 : 0,
        }),
      ]),
    );
    const sent = provider.requests.filter(({ path }) => path.endsWith('.ts'));
    expect(sent.reduce((sum, { sentBytes }) => sum + sentBytes, 0)).toBe(sizes);
  });
});
