import { describe, expect, it } from 'vitest';
import { asStreamId } from '#kernel/ids';
import { ApiMetrics } from '#telemetry';
import { answer, startFakeProvider, status, text } from '../../scripts/faultd.d/fake-provider.ts';
import type { FakeProvider, Routes } from '../../scripts/faultd.d/fake-provider.ts';
import { valueOf } from '../support/exposition.ts';
import { linksIn, startHls } from '../support/hls-bench.ts';
import { PLAYLIST_TYPE } from '../support/hls-titles.ts';

const totals = { streams: 0, activeStreams: 0, viewers: 0, bytesServed: 0 };

const media = (name: string, end = ''): string =>
  `#EXTM3U\n#EXT-X-TARGETDURATION:1\n${[0, 1, 2].map((n) => `#EXTINF:1,\n${name}${n}.ts\n`).join('')}${end}`;
const live = (name: string) => text(media(name), PLAYLIST_TYPE);
const film = (name: string) => text(media(name, '#EXT-X-ENDLIST\n'), PLAYLIST_TYPE);

const WORDS = '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="s",URI="s.m3u8"\n';
const master = (words = '') =>
  text(`#EXTM3U\n${words}#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n`, PLAYLIST_TYPE);

/** Time passes for playlists where a test says so; sockets have their own. */
async function start(routes: (later: (ms: number) => void) => Routes) {
  let nowMs = 0;
  const later = (ms: number): void => void (nowMs += ms);
  const segments = answer(({ path }) => ({ body: path }));
  const provider = await startFakeProvider({ '/': segments, ...routes(later) });
  const metrics = new ApiMetrics('1', {
    streams: () => ({ live: totals, hls: totals, vod: totals, dash: totals }),
    readBytes: () => ({ live: 0, hls: 0, vod: 0 }),
    journal: () => ({ pending: 0, lost: 0 }),
    isRedisUp: () => true,
    providerConnections: () => ({ live: 0 }),
  });
  const clock = { nowMs: () => Date.now(), monotonicMs: () => nowMs };
  const penstock = await startHls({ meter: metrics, hls: { clock } });
  const id = await penstock.create(provider.url('/a/index.m3u8'), {
    failoverUrls: [provider.url('/b/index.m3u8')],
  });
  const url = penstock.playlistUrl(id);
  const get = async (at = url): Promise<string> => (await fetch(at)).text();
  const events = () =>
    penstock.state.events.flatMap(({ fact }) => (fact.type === 'failover_triggered' ? [fact] : []));
  const history = async () => (await penstock.registry.get(asStreamId(id))).switches;
  const dispose = async (): Promise<void> => {
    await penstock[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  };
  const links = async (at = url): Promise<readonly string[]> => linksIn(await get(at), url);
  const parts = { provider, penstock, id, url, later, get, links, events, history, metrics };
  return { ...parts, [Symbol.asyncDispose]: dispose };
}

type Way = readonly [string, string, number, (provider: FakeProvider) => void];

const gone = (provider: FakeProvider): void => provider.setFault('/a/', status(404));

describe('a switch from one live playlist to another', () => {
  it.each([
    [
      'has no playlist any more',
      'status',
      2_000,
      (one) => one.setFault('/a/index.m3u8', status(404)),
    ],
    ['stands still', 'stalled', 7_000, () => {}],
    ['has no segments any more', 'status', 2_000, (one) => one.setFault('/a/a*', status(503))],
  ] as const satisfies readonly Way[])(
    'tells once what it took when the old one %s',
    async (...way) => {
      const [, cause, afterMs, fail] = way;
      await using hls = await start((later) => ({
        '/a/index.m3u8': live('a'),
        '/b/index.m3u8': answer(() => {
          later(300);
          return { body: media('b') };
        }),
      }));
      const segments = await hls.links();
      hls.later(afterMs);
      fail(hls.provider);
      for (const link of segments.slice(0, 2)) await hls.get(link);
      await expect.poll(() => hls.get()).toContain('#EXT-X-DISCONTINUITY\n');
      await hls.get();
      const timing = { gapMs: afterMs + 300, detectionMs: afterMs, connectMs: 300 };
      expect(hls.events()).toMatchObject([{ cause, gapMs: timing.gapMs }]);
      expect(await hls.history()).toMatchObject([timing]);
      const exposition = await hls.metrics.text();
      for (const [part, ms] of [
        ['gap', timing.gapMs],
        ['detection', timing.detectionMs],
        ['connect', timing.connectMs],
      ] as const) {
        const name = `penstock_switch_${part}_seconds`;
        expect(valueOf(exposition, `${name}_count{cause="${cause}"}`)).toBe(1);
        expect(valueOf(exposition, `${name}_sum{cause="${cause}"}`)).toBe(ms / 1000);
      }
    },
  );

  it('is told with the first playlist of pictures or sound, not with one that names them', async () => {
    await using hls = await start(() => ({
      '/a/index.m3u8': master(WORDS),
      '/a/v.m3u8': live('a'),
      '/a/s.m3u8': live('words'),
      '/b/index.m3u8': master(WORDS),
      '/b/v.m3u8': live('b'),
      '/b/s.m3u8': live('words'),
    }));
    const [words = '', variant = ''] = await hls.links();
    await hls.get(variant);
    hls.later(2_000);
    gone(hls.provider);
    const [, later = ''] = await hls.links(`${hls.url}?client_id=new`);
    await hls.get(words);
    hls.later(500);
    expect(hls.events()).toEqual([]);
    await Promise.all([variant, later].map((link) => hls.get(link)));
    expect(hls.events()).toMatchObject([{ gapMs: 2_500 }]);
    expect(await hls.history()).toMatchObject([{ detectionMs: 2_000, connectMs: 500 }]);
  });

  it('is none to a source whose playlists cannot be had, however well it names them', async () => {
    await using hls = await start(() => ({
      '/a/index.m3u8': master(),
      '/a/v.m3u8': live('a'),
      '/b/index.m3u8': master(),
      '/b/v.m3u8': answer(() => ({ status: 404 })),
    }));
    const [variant = ''] = await hls.links();
    await hls.get(variant);
    hls.later(2_000);
    hls.provider.setFault('/a/', status(503));
    await hls.links(`${hls.url}?client_id=new`);
    hls.provider.clearFault('/a/');
    expect(await hls.get(variant)).toContain('#EXTINF');
    expect(hls.events()).toEqual([]);
    expect(await hls.history()).toMatchObject([{ fromIndex: -1, toIndex: -1 }]);
  });

  it.each([
    ['that an app asked for', live],
    ['of a film, of which nobody is shown more', film],
  ])('%s has no gap', async (name, playlist) => {
    await using hls = await start(() => ({
      '/a/index.m3u8': playlist('a'),
      '/b/index.m3u8': playlist('b'),
    }));
    const segments = await hls.links();
    hls.later(2_000);
    gone(hls.provider);
    if (name.startsWith('that')) await hls.penstock.registry.failover(asStreamId(hls.id));
    else for (const link of segments) await hls.get(link);
    await hls.get();
    expect(hls.events()).toMatchObject([{ gapMs: null }]);
  });
});
