import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { selfSignedCertificate } from '../../scripts/faultd.d/certificate.ts';
import {
  connectionLimit,
  endlessBody,
  eofAfter,
  file,
  folder,
  frozen,
  garbageHead,
  gzip,
  hlsLive,
  html200,
  liveTs,
  notHttp,
  redirectLoop,
  refusedUrl,
  resetAfter,
  slowHeaders,
  stallAfter,
  startFakeProvider,
  status,
  text,
  times,
  trickle,
  truncateAfter,
  wrongLength,
} from '../../scripts/faultd.d/fake-provider.ts';
import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../scripts/faultd.d/media.ts';
import { checkTs } from '../../scripts/faultd.d/ts-check.ts';
import { startWebhookSink } from '../support/webhook-sink.ts';

const made = await media();
const live = await LoopedTs.open(made.main, made.durationMs);

/** Reads `bytes` of a body, or to its end; says how it ended. */
async function take(url: string, bytes = Infinity): Promise<{ got: Buffer; end: string }> {
  const leave = new AbortController();
  const response = await fetch(url, { signal: AbortSignal.any([leave.signal, timeLimit()]) });
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of response.body ?? []) {
      parts.push(part);
      size += part.length;
      if (size >= bytes) return { got: Buffer.concat(parts), end: 'left' };
    }
    return { got: Buffer.concat(parts), end: 'clean' };
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } };
    return { got: Buffer.concat(parts), end: cause?.code ?? String(error) };
  } finally {
    leave.abort();
  }
}

const timeLimit = (): AbortSignal => AbortSignal.timeout(5_000);

describe('a live route', () => {
  it('begins with a PAT and goes on without a fault for longer than its file', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(live, { speed: 20 }) });
    const { got } = await take(provider.url('/live.ts'), 2_000_000);
    expect(checkTs(got)).toMatchObject({ counterErrors: [], stepsBack: [], leaps: [] });
  });

  it('arrives at the bit rate of its file', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(live) });
    const startedAt = performance.now();
    await take(provider.url('/live.ts'), live.bytesPerMs * 1_500);
    expect(performance.now() - startedAt).toBeGreaterThan(400);
    expect(performance.now() - startedAt).toBeLessThan(2_500);
  });

  it('can end with its connection and notices who left', async () => {
    await using provider = await startFakeProvider({ '/a': liveTs(live, { framing: 'close' }) });
    const { got } = await take(provider.url('/a'), 10_000);
    expect(got[0]).toBe(0x47);
    await provider.until(() => provider.open('/a') === 0);
    expect(provider.requestsOf('/a')[0]).toMatchObject({ endedBy: 'client', status: 200 });
  });

  it.each([
    ['reset', 'ECONNRESET'],
    ['truncate', 'UND_ERR_SOCKET'],
    ['eof', 'clean'],
  ] as const)('can be cut while it runs: %s', async (how, end) => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(live) });
    const reading = take(provider.url('/live.ts'));
    await provider.until(() => (provider.requests[0]?.sentBytes ?? 0) > 20_000);
    expect(provider.cut('/live.ts', how)).toBe(1);
    expect((await reading).end).toBe(end);
  });
});

describe('faults of a body', () => {
  const length = 100_000;
  const body = Buffer.alloc(length, 'x');
  it.each([
    ['eofAfter ends early', eofAfter(5_000), 5_000, 'UND_ERR_SOCKET'],
    ['resetAfter resets', resetAfter(5_000), 5_000, 'ECONNRESET'],
    ['truncateAfter closes', truncateAfter(5_000), 5_000, 'UND_ERR_SOCKET'],
    ['wrongLength promises more', wrongLength(10), length, 'UND_ERR_SOCKET'],
    ['wrongLength promises less', wrongLength(-10), length - 10, 'clean'],
    ['trickle delivers slowly', trickle(400_000), length, 'clean'],
  ])('%s', async (_name, fault, bytes, end) => {
    await using provider = await startFakeProvider({ '/b': text(body) });
    provider.setFault('/b', fault);
    const result = await take(provider.url('/b'));
    expect({ bytes: result.got.length, end: result.end }).toEqual({ bytes, end });
  });

  it('stallAfter stays connected and sends nothing more', async () => {
    await using provider = await startFakeProvider({ '/b': text(body) });
    provider.setFault('/b', stallAfter(1_000));
    const { got } = await take(provider.url('/b'), 1_000);
    expect(got.length).toBe(1_000);
    await provider.until(() => provider.open() === 0);
    expect(provider.requests[0]).toMatchObject({ endedBy: 'client', sentBytes: 1_000 });
  });

  it('gzip, garbage and endless bodies are what they say', async () => {
    await using provider = await startFakeProvider({ '/b': text('hello') });
    provider.setFault('/b', gzip());
    expect(await (await fetch(provider.url('/b'))).text()).toBe('hello');
    provider.setFault('/b', garbageHead(50));
    expect((await take(provider.url('/b'))).got.length).toBeGreaterThanOrEqual(5);
    provider.setFault('/b', endlessBody());
    expect((await take(provider.url('/b'), 3_000_000)).got.length).toBeGreaterThan(2_999_999);
  });
});

describe('faults before a body', () => {
  it('answers with statuses, pages and redirects, the first n times if told so', async () => {
    await using provider = await startFakeProvider({ '/b': text('fine') });
    provider.setFault('/b', times(2, status(503, { 'retry-after': '7' })));
    const first = await fetch(provider.url('/b'));
    expect([first.status, first.headers.get('retry-after')]).toEqual([503, '7']);
    expect((await fetch(provider.url('/b'))).status).toBe(503);
    expect((await fetch(provider.url('/b'))).status).toBe(200);
    provider.setFault('/b', html200());
    expect((await fetch(provider.url('/b'))).headers.get('content-type')).toMatch('text/html');
    provider.setFault('/b', redirectLoop());
    await expect(fetch(provider.url('/b'))).rejects.toThrow('fetch failed');
    expect(provider.requests.length).toBeGreaterThan(20);
    provider.clearFault('/b');
    expect(await (await fetch(provider.url('/b'))).text()).toBe('fine');
  });

  it('keeps its headers back', async () => {
    await using provider = await startFakeProvider({ '/b': text('fine') });
    provider.setFault('/b', slowHeaders(120));
    const startedAt = performance.now();
    await fetch(provider.url('/b'));
    expect(performance.now() - startedAt).toBeGreaterThan(110);
  });

  it('speaks something that is not HTTP', async () => {
    await using provider = await startFakeProvider({ '/b': text('fine') });
    provider.setFault('/b', notHttp());
    await expect(fetch(provider.url('/b'))).rejects.toThrow('fetch failed');
  });

  it('refuses, or drops the oldest, above a connection limit', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(live) });
    provider.setFault('*', connectionLimit(1, 458));
    const first = take(provider.url('/live.ts'));
    await provider.until(() => provider.open() === 1);
    expect((await fetch(provider.url('/live.ts'))).status).toBe(458);
    provider.setFault('*', connectionLimit(1, 'kill-oldest'));
    const second = take(provider.url('/live.ts'), 1_000);
    expect((await first).end).toBe('ECONNRESET');
    expect((await second).got.length).toBeGreaterThan(0);
    expect(provider.maxOpen('/live.ts')).toBe(2);
  });

  it('speaks TLS with a certificate that only who knows it trusts', async () => {
    const certificate = selfSignedCertificate();
    await using provider = await startFakeProvider({ '/b': text('fine') }, { certificate });
    const { port } = provider;
    const trusted = tlsConnect({ port, host: '127.0.0.1', ca: certificate.cert });
    await once(trusted, 'secureConnect');
    trusted.destroy();
    const [error] = await once(tlsConnect({ port, host: '127.0.0.1' }), 'error');
    expect(error).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });

  it('goes away and comes back on the same port', async () => {
    await using provider = await startFakeProvider({ '/b': text('fine') });
    const url = provider.url('/b');
    await provider.down();
    await expect(fetch(url)).rejects.toThrow('fetch failed');
    await provider.up();
    expect((await fetch(url)).status).toBe(200);
  });

  it('knows an address where nobody listens', async () => {
    const { hostname, port } = new URL(await refusedUrl());
    const [error] = await once(connect(Number(port), hostname), 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });
});

const ask = async (headers: Record<string, string>, method = 'GET') => {
  await using provider = await startFakeProvider({ '/film.mp4': file(made.mp4) });
  const response = await fetch(provider.url('/film.mp4'), { headers, method });
  const size = (await response.arrayBuffer()).byteLength;
  return { status: response.status, size, range: response.headers.get('content-range') };
};

describe('a file', () => {
  it.each([
    ['bytes=0-99', 206, 100],
    ['bytes=-50', 206, 50],
    ['bytes=99999999-', 416, 0],
  ])('answers %s', async (range, code, size) => {
    expect(await ask({ range })).toMatchObject({ status: code, size });
  });

  it('sends it whole when If-Range does not match, and nothing for HEAD', async () => {
    expect(await ask({ range: 'bytes=0-9', 'if-range': '"old"' })).toMatchObject({ status: 200 });
    expect(await ask({}, 'HEAD')).toMatchObject({ status: 200, size: 0 });
  });
});

describe('playlists', () => {
  it('serves a folder', async () => {
    await using provider = await startFakeProvider({ '/vod/': folder(made.hls.ts) });
    expect(await (await fetch(provider.url('/vod/index.m3u8'))).text()).toMatch('#EXT-X-ENDLIST');
    expect((await fetch(provider.url('/vod/none.ts'))).status).toBe(404);
  });

  it('slides a live window until it is frozen, with segments that join on', async () => {
    await using provider = await startFakeProvider({ '/l/': hlsLive(live, { segmentMs: 1000 }) });
    const segments = await Promise.all(
      [7, 8, 9].map(async (n) => (await take(provider.url(`/l/seg${n}.ts`))).got),
    );
    expect(checkTs(Buffer.concat(segments))).toMatchObject({
      counterErrors: [],
      stepsBack: [],
      leaps: [],
    });
    provider.setFault('/l/index.m3u8', frozen());
    expect(await (await fetch(provider.url('/l/index.m3u8'))).text()).toMatch('SEQUENCE:0');
  });
});

describe('a webhook sink', () => {
  it('records what it accepted, in order, and can refuse first', async () => {
    await using sink = await startWebhookSink();
    sink.behave(500);
    const post = async (event_id: string): Promise<number> =>
      (
        await fetch(sink.url, {
          method: 'POST',
          body: JSON.stringify({ event_id, event_type: 'stream_started' }),
        })
      ).status;
    expect([await post('1'), await post('1'), await post('2')]).toEqual([500, 200, 200]);
    await sink.event('stream_started');
    expect(sink.delivered.map(({ event_id }) => event_id)).toEqual(['1', '2']);
    expect(sink.attempts).toHaveLength(3);
  });
});
