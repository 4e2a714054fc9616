import { connect } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { UpstreamError } from '#kernel/app-error';
import {
  eofAfter,
  html200,
  liveTs,
  notHttp,
  redirectLoop,
  resetAfter,
  slowHeaders,
  stallAfter,
  status,
  text,
  trickle,
  truncateAfter,
} from '../../scripts/faultd.d/fake-provider.ts';
import type { Fault } from '../../scripts/faultd.d/fake-provider.ts';
import { FakeResolver } from '../support/fake-state.ts';
import { startLive } from '../support/live-bench.ts';
import { Viewer } from '../support/viewer.ts';

describe('live delivery', () => {
  it('hands on the bytes of the source, untouched', async () => {
    await using live = await startLive();
    await using viewer = await live.watch(await live.playback.create(live.primary)).started();
    await viewer.more(200 * 188);
    expect(viewer.status).toBe(200);
    expect(viewer.headers).toMatchObject({
      'content-type': 'video/mp2t',
      'accept-ranges': 'none',
      'cache-control': 'no-cache, no-store, must-revalidate',
    });
    expect(viewer.headers['content-length']).toBeUndefined();
    const body = viewer.body();
    const starts = Array.from({ length: Math.floor(body.length / 188) }, (_, n) => body[n * 188]);
    expect(new Set(starts)).toEqual(new Set([0x47]));
  });

  it('sends the stream’s headers upstream, and none of the viewer’s', async () => {
    await using live = await startLive();
    const id = await live.playback.create(live.primary, {
      userAgent: 'UA/9',
      headers: { 'X-Token': 't' },
    });
    const headers = {
      Cookie: 'c=1',
      Authorization: 'Basic eA==',
      Referer: 'http://r/',
      'X-Forwarded-For': '1.2.3.4',
    };
    await using viewer = await new Viewer(`${live.playback.base}/stream/${id}`, {
      headers,
    }).started();
    await viewer.more(188);
    const [request] = live.provider.requests;
    expect(request?.headers).toMatchObject({ 'user-agent': 'UA/9', 'x-token': 't' });
    expect(Object.keys(request?.headers ?? {})).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/cookie|authorization|referer|forwarded/)]),
    );
  });

  it('closes the upstream at once when its viewer leaves', async () => {
    await using live = await startLive();
    await using viewer = await live.watch(await live.playback.create(live.primary)).started();
    await viewer.more(188);
    viewer.leave();
    await live.provider.until(() => live.provider.open() === 0, 1000);
    expect(live.playback.registry.totals().viewers).toBe(0);
    expect(live.playback.state.told.slice(-2)).toEqual(['client_disconnected', 'stream_stopped']);
  });

  it('closes the upstream at once when a viewer leaves that still waits for the first byte', async () => {
    await using live = await startLive({ headersMs: 5000 });
    live.provider.setFault('/live/a.ts', slowHeaders(5000));
    await using viewer = live.watch(await live.playback.create(live.primary));
    await live.provider.until(() => live.provider.open() === 1);
    viewer.leave();
    await live.provider.until(() => live.provider.sockets === 0, 1000);
    expect(live.playback.registry.totals().viewers).toBe(0);
  });

  it('opens one upstream per viewer when the stream is not shared', async () => {
    await using live = await startLive();
    const id = await live.playback.create(live.primary);
    await using first = await live.watch(id).started();
    await using second = await live.watch(id).started();
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(live.provider.open()).toBe(2);
  });

  it('answers HEAD without opening an upstream', async () => {
    await using live = await startLive();
    const id = await live.playback.create(live.primary);
    await using head = await new Viewer(`${live.playback.base}/stream/${id}`, {
      method: 'HEAD',
    }).started();
    expect(head.headers).toMatchObject({ 'content-type': 'video/mp2t', 'accept-ranges': 'none' });
    expect(live.provider.requests).toEqual([]);
  });

  it('sends viewers of an HLS source to its playlist, with their query, on both paths', async () => {
    await using live = await startLive();
    const id = await live.playback.create('http://h/a.m3u8');
    for (const prefix of ['', '/m3u-proxy']) {
      await using viewer = await new Viewer(
        `${live.playback.base}${prefix}/stream/${id}?username=a+b`,
      ).started();
      expect(viewer.status).toBe(302);
      const target = new URL(
        viewer.headers.location ?? '',
        `${live.playback.base}${prefix}/stream/${id}`,
      );
      expect(target.pathname + target.search).toBe(
        `${prefix}/hls/${id}/playlist.m3u8?username=a+b`,
      );
    }
  });

  it('finds out from the bytes that a source is HLS', async () => {
    await using live = await startLive();
    live.provider.setRoute('/u/p/1', text('#EXTM3U\n', 'application/octet-stream'));
    await using viewer = await live
      .watch(await live.playback.create(live.provider.url('/u/p/1')))
      .started();
    expect(viewer.status).toBe(302);
  });

  it('ends the response cleanly when the stream is removed', async () => {
    await using live = await startLive();
    const id = await live.playback.create(live.primary);
    await using viewer = await live.watch(id).started();
    await viewer.more(188);
    const [stream] = live.playback.registry.list();
    await live.playback.registry.remove(stream!.definition.id, { reason: 'manual_deletion' });
    expect(await viewer.ended()).toBe('clean');
    await live.provider.until(() => live.provider.open() === 0, 1000);
  });

  it('cuts a viewer that does not read, too, when the stream is removed', async () => {
    await using live = await startLive();
    live.provider.setRoute('/live/a.ts', liveTs(live.source, { speed: Infinity }));
    const id = await live.playback.create(live.primary);
    await using viewer = await live.watch(id).started();
    viewer.pause();
    await live.provider.until(() => (live.provider.requests[0]?.sentBytes ?? 0) > 4_000_000);
    const [stream] = live.playback.registry.list();
    await live.playback.registry.remove(stream!.definition.id, { reason: 'manual_deletion' });
    await expect(live.playback.connections(0, 2000)).resolves.toBeUndefined();
  });

  it('answers a pipelined second request after the first', async () => {
    await using live = await startLive();
    const id = await live.playback.create(live.primary);
    const { port } = new URL(live.playback.base);
    const socket = connect(Number(port), '127.0.0.1');
    const head = `HEAD /stream/${id} HTTP/1.1\r\nHost: x\r\n\r\n`;
    socket.write(`${head}GET /stream/${id} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await live.provider.until(() => live.provider.open() === 1);
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(chunk.toString('latin1')).toMatch(/^HTTP\/1\.1 200 OK/);
    socket.destroy();
  });
});

const DRIP_BYTES_PER_SECOND = 20;

const START_FAULTS: readonly (readonly [string, Fault])[] = [
  ['answers 404', status(404)],
  ['answers 503', status(503)],
  ['answers 458', status(458)],
  ['is slow with its headers', slowHeaders(3000)],
  ['answers HTML with 200', html200()],
  ['redirects in circles', redirectLoop()],
  ['speaks no HTTP', notHttp()],
  ['resets before any media', resetAfter(0)],
  ['closes before any media', eofAfter(0)],
  ['drips', trickle(DRIP_BYTES_PER_SECOND)],
];

describe('a live source that does not work from the start', () => {
  it.each(START_FAULTS)(
    'that %s is left for the next, and the viewer does not notice',
    async (_name, fault) => {
      await using live = await startLive({ headersMs: 300 });
      live.provider.setFault('/live/a.ts', fault);
      const id = await live.playback.create(live.primary, { failoverUrls: [live.backup] });
      await using viewer = await live.watch(id).started();
      await viewer.more(188 * 10);
      expect(viewer.status).toBe(200);
      expect(live.playback.registry.list()[0]).toMatchObject({
        failoverIndex: 0,
        currentUrl: live.backup,
      });
    },
  );

  it.each([
    ['answers 503', status(503), 502, 'UPSTREAM_STATUS'],
    ['answers HTML', html200(), 502, 'UPSTREAM_WRONG_TYPE'],
    ['is slow with its headers', slowHeaders(3000), 504, 'UPSTREAM_TIMEOUT'],
  ] as const)(
    'that %s, and is the only one, is a real error with its own code',
    async (_name, fault, expected, code) => {
      await using live = await startLive({ headersMs: 200 });
      live.provider.setFault('/live/a.ts', fault);
      await using viewer = await live
        .watch(await live.playback.create(live.primary, { metadata: { id: '1' } }))
        .started();
      expect(viewer.status).toBe(expected);
      await viewer.ended();
      expect(JSON.parse(viewer.body().toString())).toMatchObject({
        code,
        detail: expect.any(String),
      });
      expect(viewer.body().toString()).not.toContain('127.0.0.1');
      expect(live.playback.state.told).toEqual([
        'stream_started',
        'client_connected',
        'stream_failed',
        'client_disconnected',
        'stream_stopped',
      ]);
    },
  );

  it('is a 503 with a time to come back to a viewer that waits while the server goes down', async () => {
    await using live = await startLive({ headersMs: 5000 });
    live.provider.setFault('/live/a.ts', slowHeaders(5000));
    await using viewer = live.watch(await live.playback.create(live.primary));
    await live.provider.until(() => live.provider.open() === 1);
    live.playback.registry.close();
    await viewer.ended();
    expect(viewer.status).toBe(503);
    expect(Number(viewer.headers['retry-after'])).toBeGreaterThan(0);
    expect(JSON.parse(viewer.body().toString())).toMatchObject({ code: 'SHUTTING_DOWN' });
  });

  it('that refuses connections, like its backup, is a 502', async () => {
    await using live = await startLive();
    const id = await live.playback.create(live.primary, { failoverUrls: [live.backup] });
    await live.provider.down();
    await using viewer = await live.watch(id).started();
    expect(viewer.status).toBe(502);
    await viewer.ended();
    expect(JSON.parse(viewer.body().toString())).toMatchObject({ code: 'ALL_SOURCES_FAILED' });
  });
});

const MEDIA_BYTES = 188 * 2000;
const FLOW_FAULTS: readonly (readonly [string, Fault])[] = [
  ['stalls', stallAfter(MEDIA_BYTES)],
  ['resets', resetAfter(MEDIA_BYTES)],
  ['ends', eofAfter(MEDIA_BYTES)],
  ['ends in the middle of a packet', eofAfter(MEDIA_BYTES + 77)],
  ['is cut off', truncateAfter(MEDIA_BYTES)],
];

describe('a live source that breaks while it is watched', () => {
  it.each(FLOW_FAULTS)(
    'and %s is replaced, on the same response, at a packet boundary',
    async (_name, fault) => {
      await using live = await startLive({ stallMs: 300 });
      live.provider.setFault('/live/a.ts', fault);
      const id = await live.playback.create(live.primary, { failoverUrls: [live.backup] });
      await using viewer = await live.watch(id).started();
      await live.provider.until(() => live.provider.requestsOf('/live/b.ts').length === 1, 10_000);
      await viewer.more(188 * 500);
      expect(viewer.ending).toBeUndefined();
      const body = viewer.body();
      const lost = Array.from(
        { length: Math.floor(body.length / 188) },
        (_, n) => body[n * 188],
      ).filter((byte) => byte !== 0x47);
      expect(lost).toEqual([]);
      expect(live.provider.open()).toBe(1);
      expect(live.playback.state.told.filter((type) => type === 'failover_triggered')).toHaveLength(
        1,
      );
    },
  );

  it('is asked again when there is no other, and the viewer stays', async () => {
    await using live = await startLive();
    const id = await live.playback.create(live.primary);
    await using viewer = await live.watch(id).started();
    await viewer.more(188 * 100);
    live.provider.cut('/live/a.ts', 'eof');
    await viewer.more(188 * 100);
    expect(live.provider.requests).toHaveLength(2);
    expect(live.playback.state.told).toEqual(['stream_started', 'client_connected']);
  });

  it('breaks the transfer, visibly, when every source has failed for too long', async () => {
    await using live = await startLive({ outageLimitMs: 300 });
    const id = await live.playback.create(live.primary);
    await using viewer = await live.watch(id).started();
    await viewer.more(188 * 100);
    await live.provider.down();
    expect(await viewer.ended()).toBe('broken');
    expect(live.playback.state.told.slice(-3)).toEqual([
      'stream_failed',
      'client_disconnected',
      'stream_stopped',
    ]);
    expect(live.playback.state.events.at(-1)?.fact).toMatchObject({ reason: 'sources_failed' });
  });

  it('is replaced by what the app’s resolver names', async () => {
    let backup = '';
    await using live = await startLive({ resolver: { next: async () => backup } });
    backup = live.backup;
    live.provider.setFault('/live/a.ts', status(403));
    await using viewer = await live
      .watch(await live.playback.create(live.primary, { failoverResolverUrl: 'http://app/r' }))
      .started();
    await viewer.more(188);
    expect(live.playback.registry.list()[0]).toMatchObject({
      currentUrl: live.backup,
      failoverIndex: 0,
    });
  });

  it('leads to a 502 when the resolver does not answer', async () => {
    const resolver = new FakeResolver(new UpstreamError('UPSTREAM_TIMEOUT', { message: 'late' }));
    await using live = await startLive({ resolver });
    live.provider.setFault('/live/a.ts', status(403));
    await using viewer = await live
      .watch(await live.playback.create(live.primary, { failoverResolverUrl: 'http://app/r' }))
      .started();
    expect(viewer.status).toBe(502);
  });
});

describe('moving a watched stream on by hand', () => {
  it('advances exactly once and keeps the viewer', async () => {
    await using live = await startLive();
    const id = await live.playback.create(live.primary, { failoverUrls: [live.backup] });
    await using viewer = await live.watch(id).started();
    await viewer.more(188 * 50);
    const [stream] = live.playback.registry.list();
    await live.playback.registry.failover(stream!.definition.id);
    await live.provider.until(() => live.provider.requestsOf('/live/b.ts').length === 1);
    await viewer.more(188 * 200);
    expect(live.playback.registry.list()[0]).toMatchObject({
      failoverIndex: 0,
      failoverAttempts: 1,
    });
    expect(live.provider.requests).toHaveLength(2);
    expect(live.provider.maxOpen()).toBe(1);
    expect(viewer.ending).toBeUndefined();
  });
});

describe('a shared stream', () => {
  it('opens one upstream however many join at once, and the first may leave', async () => {
    await using live = await startLive({ sharing: 'shared' });
    const id = await live.playback.create(live.primary);
    const viewers = await Promise.all([1, 2, 3, 4, 5].map(() => live.watch(id).started()));
    expect(live.provider.requests).toHaveLength(1);
    expect(live.playback.registry.totals().viewers).toBe(5);
    viewers[0]!.leave();
    await Promise.all(viewers.slice(1).map((viewer) => viewer.more(188 * 500)));
    expect(live.provider.requests).toHaveLength(1);
    for (const viewer of viewers) viewer.leave();
    await live.provider.until(() => live.provider.open() === 0, 1000);
    expect(live.playback.state.told.filter((type) => type === 'stream_stopped')).toHaveLength(1);
  });

  it('gives every viewer the same bytes through a change of source', async () => {
    await using live = await startLive({ sharing: 'shared' });
    live.provider.setFault('/live/a.ts', eofAfter(188 * 3000));
    const id = await live.playback.create(live.primary, {
      failoverUrls: [live.backup],
      metadata: { a: 'b' },
    });
    const viewers = [live.watch(id), live.watch(id), live.watch(id)];
    await live.provider.until(() => live.provider.requestsOf('/live/b.ts').length === 1, 10_000);
    await Promise.all(viewers.map((viewer) => viewer.more(188 * 1500)));
    // Whoever came a moment later has the same bytes from there on.
    const longest = viewers
      .map((viewer) => viewer.body())
      .toSorted((x, y) => y.length - x.length)[0]!;
    for (const body of viewers.map((viewer) => viewer.body())) {
      const from = longest.indexOf(body.subarray(0, 188 * 100));
      const common = Math.min(body.length, longest.length - from);
      expect(from).toBeGreaterThanOrEqual(0);
      expect(body.subarray(0, common).equals(longest.subarray(from, from + common))).toBe(true);
    }
    for (const viewer of viewers) viewer.leave();
  });

  it('goes on for the others when one does not read', async () => {
    await using live = await startLive({ sharing: 'shared', viewerBufferBytes: 262_144 });
    live.provider.setRoute('/live/a.ts', liveTs(live.source, { speed: 40 }));
    const id = await live.playback.create(live.primary);
    await using slow = await live.watch(id).started();
    await using fast = await live.watch(id).started();
    slow.pause();
    await fast.more(6_000_000, 15_000);
    expect(live.provider.requests).toHaveLength(1);
    expect(slow.ending).toBeUndefined();
  });

  it('begins anew after it has failed for all', async () => {
    await using live = await startLive({ sharing: 'shared' });
    live.provider.setFault('/live/a.ts', status(404));
    const id = await live.playback.create(live.primary);
    const first = await Promise.all([live.watch(id).started(), live.watch(id).started()]);
    expect(first.map((viewer) => viewer.status)).toEqual([502, 502]);
    live.provider.clearFault('/live/a.ts');
    await using later = await live.watch(id).started();
    expect(later.status).toBe(200);
  });
});
