import { describe, expect, it } from 'vitest';
import {
  liveTs,
  slowHeaders,
  startFakeProvider,
  status,
} from '../../scripts/faultd.d/fake-provider.ts';
import { ALONE } from '../support/alone.ts';
import { curl, decode, playWithFfmpeg, probe, toneAtEnd } from '../support/players.ts';
import { eventually } from '../support/processes.ts';
import { useProduct } from '../support/use-product.ts';
import { watch } from '../support/viewer.ts';

const stage = useProduct();

/** Two seconds of media and more. */
const A_FEW_SECONDS = 300_000;

const playable = async (stream: Record<string, unknown>): Promise<{ id: string; url: string }> => {
  const id = await stage.product.api.createStream(stream);
  return { id, url: `${stage.product.url}/stream/${id}` };
};

const viewersOf = async (id: string): Promise<number> => {
  const { body } = await stage.product.api.get(`/streams/${id}`);
  return Number(body['client_count']);
};

describe.concurrent('a live stream', () => {
  it('is what ffprobe and ffmpeg take it for', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const { url } = await playable({ url: provider.url('/live.ts') });
    expect(await probe(url)).toEqual(['audio:aac', 'video:h264']);
    const { pictures, complaints, exitCode } = await playWithFfmpeg(url, { seconds: 2 });
    expect({ complaints, exitCode }).toEqual({ complaints: [], exitCode: 0 });
    // The last pictures of two seconds may still be in the decoder.
    expect(pictures).toBeGreaterThanOrEqual(45);
  });

  it('goes on from the backup on the same connection when its provider dies', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    await using backup = await startFakeProvider({ '/live.ts': liveTs(stage.other) });
    const { id, url } = await playable({
      url: provider.url('/live.ts'),
      failover_urls: [backup.url('/live.ts')],
      metadata: { id: 7, type: 'channel', playlist_uuid: 'p-1' },
    });
    await using viewer = watch(url);
    await viewer.reached(A_FEW_SECONDS);
    expect(await toneAtEnd(viewer.body())).toBeCloseTo(440, -1.5);
    await provider.down();
    await backup.until(() => backup.open('/live.ts') === 1);
    await viewer.more(A_FEW_SECONDS);
    expect(viewer.ending).toBeUndefined();
    expect(await toneAtEnd(viewer.body())).toBeCloseTo(1000, -1.5);
    expect((await decode(viewer.body())).pictures).toBeGreaterThan(75);
    const { data } = await stage.sink.event('failover_triggered', id);
    expect(data).toMatchObject({
      old_url: provider.url('/live.ts'),
      new_url: backup.url('/live.ts'),
      failover_index: 0,
      client_count: 1,
      metadata: { id: '7', type: 'channel', playlist_uuid: 'p-1' },
      playlist_uuid: 'p-1',
      type: 'channel',
      id: '7',
    });
    const { body } = await stage.product.api.get(`/streams/${id}`);
    expect(body['stream']).toMatchObject({
      current_url: backup.url('/live.ts'),
      current_failover_index: 0,
      failover_attempts: 1,
    });
  });

  it(
    'has a viewer who leaves: upstream, counts and events follow within a second',
    ALONE,
    async () => {
      await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
      const { id, url } = await playable({
        url: provider.url('/live.ts'),
        metadata: { leaves: 'yes', provider_profile_id: 3 },
      });
      const viewer = watch(`${url}?client_id=sofa&username=ann`);
      await viewer.reached(50_000);
      const counting = '/streams/by-metadata?field=leaves&value=yes&active_only=1';
      expect((await stage.product.api.get(counting)).body).toMatchObject({ total_matching: 1 });
      const { data: connected } = await stage.sink.event('client_connected', id);
      expect(connected).toMatchObject({ client_id: 'sofa', username: 'ann' });
      const leftAt = performance.now();
      viewer.leave();
      await provider.until(() => provider.open() === 0, 500);
      expect((await stage.product.api.get(counting)).body).toMatchObject({ total_matching: 0 });
      const { data } = await stage.sink.event('stream_stopped', id);
      expect(performance.now() - leftAt).toBeLessThan(1_000);
      expect(data).toMatchObject({
        reason: 'last_client_disconnected',
        metadata: { provider_profile_id: '3' },
      });
      expect(stage.sink.of('stream_started', id)).toHaveLength(1);
      expect(stage.sink.of('client_disconnected', id)).toHaveLength(1);
      expect(stage.sink.of('stream_stopped', id)).toHaveLength(1);
    },
  );

  it('opens no upstream for HEAD', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const { url } = await playable({ url: provider.url('/live.ts') });
    const head = await curl('--head', url);
    expect(head).toMatch(/^HTTP\/1.1 200/);
    expect(head).toMatch(/content-type: video\/mp2t/i);
    expect(head).toMatch(/accept-ranges: none/i);
    expect(provider.requests).toHaveLength(0);
  });

  it('closes its upstream when a viewer leaves who still waits for the first byte', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    provider.setFault('/live.ts', slowHeaders(20_000));
    const { id, url } = await playable({ url: provider.url('/live.ts') });
    const viewer = watch(url);
    await provider.until(() => provider.open() === 1);
    expect(await viewersOf(id)).toBe(1);
    viewer.leave();
    await provider.until(() => provider.open() === 0, 500);
    await stage.sink.event('stream_stopped', id);
    expect(await viewersOf(id)).toBe(0);
    expect(provider.requests).toHaveLength(1);
  });

  it('has one upstream per viewer unless told otherwise', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const { id, url } = await playable({ url: provider.url('/live.ts') });
    await using first = watch(url);
    await using second = watch(url);
    await Promise.all([first.reached(50_000), second.reached(50_000)]);
    expect(provider.open('/live.ts')).toBe(2);
    expect(await viewersOf(id)).toBe(2);
  });

  it('shares one upstream, which the first viewer may leave', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const { id, url } = await playable({ url: provider.url('/live.ts'), sharing: 'shared' });
    const first = watch(url);
    await first.reached(50_000);
    await using second = watch(url);
    await second.reached(50_000);
    first.leave();
    await second.more(A_FEW_SECONDS);
    expect(provider.requests).toHaveLength(1);
    expect(await viewersOf(id)).toBe(1);
    expect(stage.sink.of('stream_stopped', id)).toHaveLength(0);
    second.leave();
    await provider.until(() => provider.open() === 0, 500);
  });

  it('moves all who share it to the backup together, with one connection', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    await using backup = await startFakeProvider({ '/live.ts': liveTs(stage.other) });
    const { id, url } = await playable({
      url: provider.url('/live.ts'),
      failover_urls: [backup.url('/live.ts')],
      sharing: 'shared',
    });
    await using first = watch(url);
    await using second = watch(url);
    await Promise.all([first.reached(50_000), second.reached(50_000)]);
    await provider.down();
    await backup.until(() => backup.open() === 1);
    await Promise.all([first.more(100_000), second.more(100_000)]);
    expect(backup.maxOpen()).toBe(1);
    const { data } = await stage.sink.event('failover_triggered', id);
    expect(data).toMatchObject({ client_count: 2 });
    expect(stage.sink.of('failover_triggered', id)).toHaveLength(1);
  });

  it('moves on once when an app asks for it, with one and with three backups', async () => {
    const names = ['/0.ts', '/1.ts', '/2.ts', '/3.ts'];
    const routes = Object.fromEntries(names.map((name) => [name, liveTs(stage.main)]));
    await using provider = await startFakeProvider(routes);
    for (const count of [1, 3]) {
      const { id, url } = await playable({
        url: provider.url(`/0.ts?${count}`),
        failover_urls: names.slice(1, count + 1).map((name) => provider.url(`${name}?${count}`)),
      });
      await using viewer = watch(url);
      await viewer.reached(50_000);
      const { status: code, body } = await stage.product.api.post(`/streams/${id}/failover`, []);
      expect({ code, index: body['failover_index'] }).toEqual({ code: 200, index: 0 });
      await viewer.more(A_FEW_SECONDS);
      const asked = provider.requests.filter(({ url: path }) => path.endsWith(`?${count}`));
      expect(asked.map(({ path }) => path)).toEqual(['/0.ts', '/1.ts']);
      expect(viewer.ending).toBeUndefined();
    }
  });

  it('tells the source what the app set, and nothing about the viewer', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const { url } = await playable({
      url: provider.url('/live.ts'),
      user_agent: 'Set-by-app/1',
      headers: { 'X-Provider': 'yes' },
    });
    await using viewer = watch(url, {
      headers: {
        cookie: 'session=1',
        authorization: 'Basic c2VjcmV0',
        referer: 'http://app.example/',
        'x-forwarded-for': '203.0.113.9',
        'user-agent': 'VLC/3',
      },
    });
    await viewer.reached(10_000);
    const headers = provider.requests[0]?.headers ?? {};
    expect(headers).toMatchObject({ 'user-agent': 'Set-by-app/1', 'x-provider': 'yes' });
    expect(Object.keys(headers)).not.toContain('cookie');
    expect(Object.keys(headers)).not.toContain('authorization');
    expect(JSON.stringify(headers)).not.toMatch(/203\.0\.113|app\.example|VLC/);
  });

  it('answers behind the prefix too, and to a proxy that always says upgrade', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const { id } = await playable({ url: provider.url('/live.ts') });
    await using viewer = watch(`${stage.product.url}/m3u-proxy/stream/${id}`, {
      headers: { connection: 'upgrade' },
    });
    await viewer.reached(50_000);
    expect(viewer.status).toBe(200);
    expect(viewer.headers).toMatchObject({ 'access-control-allow-origin': '*' });
  });

  it('cuts its viewers at once when it is deleted, and is gone', ALONE, async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const { id, url } = await playable({ url: provider.url('/live.ts') });
    await using viewer = watch(url);
    await viewer.reached(50_000);
    expect((await stage.product.api.delete(`/streams/${id}`)).status).toBe(200);
    expect(await viewer.ended(500)).toBe('clean');
    await provider.until(() => provider.open() === 0, 500);
    const { data } = await stage.sink.event('stream_stopped', id);
    expect(data).toMatchObject({ reason: 'manual_deletion' });
    expect(stage.sink.of('stream_stopped', id)).toHaveLength(1);
    expect((await stage.product.api.get(`/streams/${id}`)).status).toBe(404);
  });

  it('says what is wrong before the first byte when no source works', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    provider.setFault('/live.ts', status(404));
    const { id, url } = await playable({ url: provider.url('/live.ts?password=hunter2') });
    await using viewer = await watch(url).started();
    await viewer.ended();
    expect(viewer.status).toBe(502);
    expect(JSON.parse(viewer.body().toString())).toMatchObject({ status: 502 });
    expect(viewer.body().toString()).not.toContain('hunter2');
    await stage.sink.event('stream_failed', id);
    expect(stage.product.output()).not.toContain('hunter2');
  });
});

describe('what a live source consists of', () => {
  it('is told after a moment, and the source is not asked for it', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const id = await stage.product.api.createStream({ url: provider.url('/live.ts?media') });
    await using viewer = watch(`${stage.product.url}/stream/${id}`);
    await viewer.reached(20_000);
    const info = async () => {
      const { body } = await stage.product.api.get(`/streams/${id}`);
      return (body['stream'] as { media_info: Record<string, unknown> }).media_info;
    };
    await eventually('the media is known', async () => 'video_codec' in (await info()), 15_000);
    expect(await info()).toMatchObject({
      container: 'MPEGTS',
      video_codec: 'h264',
      resolution: expect.stringMatching(/^\d+x\d+$/),
      fps: 25,
      bitrate_kbps: expect.any(Number),
      audio_codec: 'aac',
    });
    expect(provider.requests).toHaveLength(1);
  });
});
