import { describe, expect, it } from 'vitest';
import { asStreamId } from '#kernel/ids';
import { answer, startFakeProvider, text } from '../../scripts/faultd.d/fake-provider.ts';
import type { FakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { linksIn, startHls } from '../support/hls-bench.ts';
import { PLAYLIST_TYPE } from '../support/hls-titles.ts';

const LIST = '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nseg/1.ts?a=1&b=2\n#EXT-X-ENDLIST\n';
const SEGMENT = Buffer.alloc(188, 0x47);

const startSource = (): Promise<FakeProvider> =>
  startFakeProvider({
    '/live/index.m3u8': text(LIST, PLAYLIST_TYPE),
    '/live/seg/1.ts': text(SEGMENT, 'video/mp2t'),
  });

/** URL-safe Base64 with padding, as Josh5's and Headendarr's proxies want it. */
const b64 = (value: string): string =>
  Buffer.from(value).toString('base64').replaceAll('+', '-').replaceAll('/', '_');

/**
 * A next hop whose paths are Base64 and an extension, as Josh5/HLS-Proxy and warren-bank/HLS-Proxy
 * have them: it fetches what the path says, and leads its playlists' links back to itself.
 */
async function startHop(decode = (path: string): string => path, form = /./) {
  const asked: { path: string; headers: Record<string, unknown> }[] = [];
  const hop: FakeProvider = await startFakeProvider({
    '/': answer(async ({ path, headers }) => {
      asked.push({ path, headers });
      if (!form.test(path)) return { status: 404 };
      const written = decodeURIComponent(path.slice(1)).replace(/\.\w+$/, '');
      const target = decode(Buffer.from(written, 'base64url').toString());
      const response = await fetch(target);
      const body = Buffer.from(await response.arrayBuffer());
      const type = response.headers.get('content-type') ?? '';
      if (type !== PLAYLIST_TYPE) return { headers: { 'content-type': type }, body };
      const led = body
        .toString()
        .replaceAll(/^[^#\n]+$/gm, (uri) => hop.url(`/${b64(new URL(uri, target).href)}.ts`));
      return { headers: { 'content-type': type }, body: led };
    }),
  });
  return { hop, asked };
}

/** What a viewer gets of a stream: its playlist, and the first segment of that. */
async function play(penstock: Awaited<ReturnType<typeof startHls>>, id: string) {
  const url = penstock.playlistUrl(id);
  const playlist = await fetch(url);
  const body = await playlist.text();
  const [link = ''] = linksIn(body, url);
  const segment = link === '' ? undefined : await fetch(link);
  return {
    status: playlist.status,
    body,
    segment: segment && Buffer.from(await segment.arrayBuffer()),
  };
}

describe('a stream by way of another proxy', () => {
  it.each(['.m3u8', ''])(
    'is asked for by Base64 in the path, padding included: %s',
    async (end) => {
      await using source = await startSource();
      const { hop, asked } = await startHop();
      await using penstock = await startHls();
      const url = source.url('/live/index.m3u8?u=ünï&x=1');
      const id = await penstock.create(url, {
        headers: { 'X-Token': 't' },
        egress: { kind: 'template', template: `${hop.url('/')}{b64}${end}` },
      });
      const played = await play(penstock, id);
      expect(played.segment).toEqual(SEGMENT);
      const segmentUrl = source.url('/live/seg/1.ts?a=1&b=2');
      const paths = asked.map(({ path }) => decodeURIComponent(path));
      expect(paths).toEqual([`/${b64(url)}${end}`, `/${b64(segmentUrl)}.ts`]);
      expect(asked.every(({ headers }) => headers['x-token'] === 't')).toBe(true);
      expect(source.requests.every(({ headers }) => headers['x-token'] === undefined)).toBe(true);
      await hop[Symbol.asyncDispose]();
    },
  );

  it('is asked for as warren-bank’s proxy wants it, whose paths hold the referer too', async () => {
    await using source = await startSource();
    const { hop, asked } = await startHop((written) => written.split('|')[0] ?? '');
    await using penstock = await startHls();
    // A source of a hop that has no place in templates is written as the stream's own URL.
    const entry = b64(`${source.url('/live/index.m3u8')}|http://referer.example/`);
    const id = await penstock.create(hop.url(`/${entry}.m3u8`));
    expect((await play(penstock, id)).segment).toEqual(SEGMENT);
    expect(asked).toHaveLength(2);
    await hop[Symbol.asyncDispose]();
  });

  it('is asked for in the alphabet that warren-bank’s proxy takes for a URL', async () => {
    await using source = await startSource();
    const { hop, asked } = await startHop(undefined, /^\/[a-zA-Z0-9+/=%]+(?:[._][^/?#]*)?$/);
    await using penstock = await startHls();
    const url = source.url('/live/index.m3u8?t=?>~?>~?>~');
    expect(b64(url)).toMatch(/[-_]/);
    const template = `${hop.url('/')}{b64_standard}.{ext}`;
    const id = await penstock.create(url, { egress: { kind: 'template', template } });
    expect((await fetch(penstock.playlistUrl(id))).status).toBe(200);
    expect(asked.map(({ path }) => path)).toEqual([expect.stringMatching(/\.m3u8$/)]);
    await hop[Symbol.asyncDispose]();
  });

  it('fails when that is down, and the source hears of nothing', async () => {
    await using source = await startSource();
    const { hop } = await startHop();
    const template = `${hop.url('/')}{b64}.m3u8`;
    await hop[Symbol.asyncDispose]();
    await using penstock = await startHls();
    const id = await penstock.create(source.url('/live/index.m3u8'), {
      egress: { kind: 'template', template },
    });
    const { status, body } = await play(penstock, id);
    expect([status, JSON.parse(body)]).toEqual([
      502,
      expect.objectContaining({ code: 'EGRESS_FAILED' }),
    ]);
    expect(source.requests).toHaveLength(0);
  });

  it('may go through Penstock twice: one poll, one fetch, and the bytes of the source', async () => {
    await using source = await startSource();
    await using far = await startHls();
    const farId = await far.create(source.url('/live/index.m3u8'));
    await using near = await startHls();
    const id = await near.create(far.playlistUrl(farId), { headers: { 'X-Token': 't' } });
    const all = await Promise.all(Array.from({ length: 5 }, () => play(near, id)));
    expect(all.every(({ segment }) => segment?.equals(SEGMENT))).toBe(true);
    expect(all[0]?.body).not.toContain(new URL(far.base).host);
    expect(source.requestsOf('/live/index.m3u8')).toHaveLength(1);
    expect(source.requestsOf('/live/seg/1.ts')).toHaveLength(1);
    expect(far.registry.viewers(asStreamId(farId))).toHaveLength(1);
  });
});
