import { describe, expect, it } from 'vitest';
import {
  endlessBody,
  gzip,
  html200,
  notHttp,
  redirectLoop,
  refusedUrl,
  resetAfter,
  slowHeaders,
  stallAfter,
  startFakeProvider,
  status,
  text,
  truncateAfter,
  unknownHostUrl,
} from '../../scripts/faultd.d/fake-provider.ts';
import type { Fault } from '../../scripts/faultd.d/fake-provider.ts';
import { selfSignedCertificate } from '../../scripts/faultd.d/certificate.ts';
import { linksIn, startHls } from '../support/hls-bench.ts';
import type { HlsBenchOptions } from '../support/hls-bench.ts';

const TYPE = 'application/vnd.apple.mpegurl';
const LIST = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n1.ts\n';
const MIB = 1024 * 1024;

async function get(url: string): Promise<{ status: number; body: string }> {
  const response = await fetch(url);
  return { status: response.status, body: await response.text() };
}

async function start(options: HlsBenchOptions = {}) {
  const routes = {
    '/a/index.m3u8': text(LIST, TYPE),
    '/b/index.m3u8': text(LIST, TYPE),
    '/b/1.ts': text('from b', 'video/mp2t'),
    '/media': text(Buffer.alloc(188 * 20, 'G'), 'video/mp2t'),
    '/channels.m3u8': text('#EXTM3U\n#EXTINF:-1,One\nhttp://h/1\n', TYPE),
    '/empty.m3u8': text('', TYPE),
  };
  const provider = await startFakeProvider(routes);
  const penstock = await startHls({ headersMs: 500, ...options });
  const dispose = async (): Promise<void> => {
    await penstock[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  };
  return { provider, penstock, [Symbol.asyncDispose]: dispose };
}

const faults: readonly (readonly [string, Fault, number, string])[] = [
  ['not found', status(404), 502, 'UPSTREAM_STATUS'],
  ['forbidden', status(403), 502, 'UPSTREAM_STATUS'],
  ['unauthorised', status(401), 502, 'UPSTREAM_STATUS'],
  ['a server error', status(503), 502, 'UPSTREAM_STATUS'],
  ['no content', status(204), 502, 'PLAYLIST_MALFORMED'],
  ['slow headers', slowHeaders(3000), 504, 'UPSTREAM_TIMEOUT'],
  ['a body that stalls', stallAfter(20), 504, 'UPSTREAM_TIMEOUT'],
  ['a reset behind the head', resetAfter(0), 502, 'UPSTREAM_TRUNCATED'],
  ['a reset in the body', resetAfter(20), 502, 'UPSTREAM_TRUNCATED'],
  ['a truncated body', truncateAfter(20), 502, 'UPSTREAM_TRUNCATED'],
  ['a page with status 200', html200(), 502, 'PLAYLIST_MALFORMED'],
  ['a redirect loop', redirectLoop(), 502, 'UPSTREAM_REDIRECT_LOOP'],
  ['no HTTP', notHttp(), 502, 'UPSTREAM_PROTOCOL'],
  ['an endless list', endlessBody(), 502, 'PLAYLIST_TOO_LARGE'],
  ['an endless body', endlessBody('x'), 502, 'PLAYLIST_MALFORMED'],
];

describe('a playlist that its source does not give', () => {
  it.each(faults)('is an error, not an empty list: %s', async (_name, fault, code, word) => {
    await using hls = await start();
    hls.provider.setFault('/a/index.m3u8', fault);
    const id = await hls.penstock.create(hls.provider.url('/a/index.m3u8'));
    const { status: answered, body } = await get(hls.penstock.playlistUrl(id));
    expect([answered, JSON.parse(body)]).toEqual([code, expect.objectContaining({ code: word })]);
    expect(body).not.toContain('127.0.0.1');
    expect(hls.penstock.state.told.filter((type) => type === 'stream_failed')).toHaveLength(1);
  });

  it.each(faults)('comes from the backup within the same request: %s', async (_name, fault) => {
    await using hls = await start();
    hls.provider.setFault('/a/index.m3u8', fault);
    const id = await hls.penstock.create(hls.provider.url('/a/index.m3u8'), {
      failoverUrls: [hls.provider.url('/b/index.m3u8')],
    });
    const url = hls.penstock.playlistUrl(id);
    const { status: answered, body } = await get(url);
    expect(answered).toBe(200);
    const [segment = ''] = linksIn(body, url);
    expect((await get(segment)).body).toBe('from b');
    expect(hls.penstock.state.told).toEqual([
      'stream_started',
      'client_connected',
      'failover_triggered',
    ]);
  });

  it.each([
    ['media', '/media', 'UPSTREAM_WRONG_TYPE'],
    ['a list of channels', '/channels.m3u8', 'PLAYLIST_MALFORMED'],
    ['nothing', '/empty.m3u8', 'PLAYLIST_MALFORMED'],
  ])('is refused when it is something else: %s', async (_name, path, word) => {
    await using hls = await start();
    const url = hls.provider.url(`${path}#.m3u8`);
    const id = await hls.penstock.create(path.endsWith('.m3u8') ? hls.provider.url(path) : url);
    const { status: answered, body } = await get(hls.penstock.playlistUrl(id));
    expect([answered, JSON.parse(body)]).toEqual([502, expect.objectContaining({ code: word })]);
  });

  it.each([
    ['refused', () => refusedUrl('/a.m3u8'), 'UPSTREAM_REFUSED'],
    ['a name that nobody knows', async () => unknownHostUrl('/a.m3u8'), 'UPSTREAM_DNS'],
    [
      'a metadata address',
      async () => 'http://169.254.169.254/a.m3u8',
      'UPSTREAM_TARGET_FORBIDDEN',
    ],
  ])('comes from the backup when the primary cannot be reached: %s', async (_name, url, word) => {
    await using hls = await start({ outageLimitMs: 500 });
    const alone = await hls.penstock.create(await url());
    const { body } = await get(hls.penstock.playlistUrl(alone));
    expect(JSON.parse(body)).toMatchObject({ code: word });
    const id = await hls.penstock.create(`${await url()}?2`, {
      failoverUrls: [hls.provider.url('/b/index.m3u8')],
    });
    expect((await get(hls.penstock.playlistUrl(id))).status).toBe(200);
  });

  it('comes from the backup when the certificate of the primary does not verify', async () => {
    await using hls = await start();
    await using secure = await startFakeProvider(
      { '/a.m3u8': text(LIST, TYPE) },
      { certificate: selfSignedCertificate() },
    );
    const alone = await hls.penstock.create(secure.url('/a.m3u8'));
    expect(JSON.parse((await get(hls.penstock.playlistUrl(alone))).body)).toMatchObject({
      code: 'UPSTREAM_TLS',
    });
    const id = await hls.penstock.create(secure.url('/a.m3u8?2'), {
      failoverUrls: [hls.provider.url('/b/index.m3u8')],
    });
    expect((await get(hls.penstock.playlistUrl(id))).status).toBe(200);
  });

  it('comes from where the resolver says', async () => {
    await using hls = await start({
      resolver: { next: async () => hls.provider.url('/b/index.m3u8') },
    });
    hls.provider.setFault('/a/index.m3u8', status(404));
    const id = await hls.penstock.create(hls.provider.url('/a/index.m3u8'), {
      failoverResolverUrl: 'http://app.example/next',
    });
    expect((await get(hls.penstock.playlistUrl(id))).status).toBe(200);
    expect(hls.penstock.state.events.at(-1)?.fact).toMatchObject({
      type: 'failover_triggered',
      reason: 'playlist_fetch_error_HTTPStatusError',
    });
  });

  it('moves the stream on once, however many viewers ask', async () => {
    await using hls = await start();
    hls.provider.setFault('/a/index.m3u8', status(404));
    const id = await hls.penstock.create(hls.provider.url('/a/index.m3u8'), {
      failoverUrls: [hls.provider.url('/b/index.m3u8'), hls.provider.url('/channels.m3u8')],
    });
    const url = hls.penstock.playlistUrl(id);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => get(`${url}?client_id=v${n}`)),
    );
    expect(answers.every(({ status: answered }) => answered === 200)).toBe(true);
    expect(hls.penstock.state.told.filter((type) => type === 'failover_triggered')).toHaveLength(1);
    expect(hls.provider.requestsOf('/a/index.m3u8')).toHaveLength(1);
  });

  it('is read no further than it must be', async () => {
    await using hls = await start();
    hls.provider.setFault('/a/index.m3u8', endlessBody('<html>'));
    const id = await hls.penstock.create(hls.provider.url('/a/index.m3u8'));
    await get(hls.penstock.playlistUrl(id));
    await hls.provider.until(() => hls.provider.open() === 0);
    expect(hls.provider.requests[0]?.sentBytes).toBeLessThan(8 * MIB);
  });

  it('is refused when it grows beyond bounds only after decompression', async () => {
    await using hls = await start({ headersMs: 5000 });
    hls.provider.setRoute('/a/index.m3u8', text(`${LIST}${'#\n'.repeat(20 * MIB)}`, TYPE));
    hls.provider.setFault('/a/index.m3u8', gzip());
    const id = await hls.penstock.create(hls.provider.url('/a/index.m3u8'));
    expect(JSON.parse((await get(hls.penstock.playlistUrl(id))).body)).toMatchObject({
      code: 'PLAYLIST_TOO_LARGE',
    });
  });

  it('is no longer waited for when its viewer leaves', async () => {
    await using hls = await start({ headersMs: 5000 });
    hls.provider.setFault('/a/index.m3u8', slowHeaders(5000));
    const id = await hls.penstock.create(hls.provider.url('/a/index.m3u8'));
    const leaving = new AbortController();
    const asking = fetch(hls.penstock.playlistUrl(id), { signal: leaving.signal });
    await hls.provider.until(() => hls.provider.open() === 1);
    leaving.abort();
    await expect(asking).rejects.toThrow('abort');
    await hls.provider.until(() => hls.provider.open() === 0, 1000);
  });

  it('costs a stream of another kind nothing that is asked for a playlist by mistake', async () => {
    await using hls = await start();
    const id = await hls.penstock.create(hls.provider.url('/media'), {
      failoverUrls: [hls.provider.url('/b/index.m3u8')],
    });
    expect(JSON.parse((await get(hls.penstock.playlistUrl(id))).body)).toMatchObject({
      code: 'UPSTREAM_WRONG_TYPE',
    });
    expect(hls.penstock.state.told).not.toContain('failover_triggered');
  });
});
