import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { file, hlsLive, liveTs, startFakeProvider, trickle } from '../support/fake-provider.ts';
import { LoopedTs } from '../support/looped-ts.ts';
import { checkTs } from '../support/ts-check.ts';
import { useProduct } from '../support/use-product.ts';
import { fetchOnce, watch } from '../support/viewer.ts';

/** The least patience with viewers that can be set: being slow is no reason to lose them. */
const stage = useProduct({ env: { CLIENT_TIMEOUT: '1', VIEWER_BUFFER_BYTES: '262144' } });

const isAddress = (line: string): boolean => line.startsWith('segment');

const stoppedOf = (id: string): number => stage.sink.of('stream_stopped', id).length;

describe.concurrent('slowness', () => {
  it('of a stream of 16 kB/s costs nobody the picture', async () => {
    await using provider = await startFakeProvider({ '/radio.ts': liveTs(stage.main) });
    provider.setFault('/radio.ts', trickle(16_000));
    const id = await stage.product.api.createStream({ url: provider.url('/radio.ts') });
    await using viewer = watch(`${stage.product.url}/stream/${id}`);
    await viewer.reached(60_000);
    expect(viewer.ending).toBeUndefined();
    expect({ requests: provider.requests.length, stopped: stoppedOf(id) }).toEqual({
      requests: 1,
      stopped: 0,
    });
  });

  it('of a viewer that pauses a film costs it nothing', async () => {
    // Larger than all socket buffers on the way together.
    const film = file(stage.media.heavy, { contentType: 'video/mp4' });
    await using provider = await startFakeProvider({ '/film.mp4': film });
    const id = await stage.product.api.createStream({ url: provider.url('/film.mp4') });
    await using viewer = watch(`${stage.product.url}/stream/${id}`, {
      headers: { range: 'bytes=100-' },
    });
    await viewer.started();
    viewer.pause();
    await pause(3_000);
    expect(stoppedOf(id)).toBe(0);
    viewer.resume();
    expect(await viewer.ended()).toBe('clean');
    expect(`${viewer.bytes + 100}`).toBe(String(viewer.headers['content-range']).split('/')[1]);
  });

  it('of a player that polls every four seconds makes it come only once', async () => {
    const route = hlsLive(stage.main, { segmentMs: 2_000 });
    await using provider = await startFakeProvider({ '/l/': route });
    const id = await stage.product.api.createStream({ url: provider.url('/l/index.m3u8') });
    const url = `${stage.product.url}/hls/${id}/playlist.m3u8`;
    const segment = (await fetchOnce(url)).body().toString().split('\n').find(isAddress) ?? '';
    await fetchOnce(new URL(segment, url).href);
    await pause(4_000);
    await fetchOnce(url);
    const { body } = await stage.product.api.get(`/streams/${id}`);
    expect(body['client_count']).toBe(1);
    expect(stage.sink.of('client_connected', id)).toHaveLength(1);
    expect(stoppedOf(id)).toBe(0);
  });

  it('of one viewer of a shared stream is not the others’ business', async () => {
    const heavy = await LoopedTs.open(stage.media.heavy, stage.media.durationMs);
    await using provider = await startFakeProvider({ '/live.ts': liveTs(heavy, { speed: 4 }) });
    const url = provider.url('/live.ts');
    const id = await stage.product.api.createStream({ url, sharing: 'shared' });
    await using quick = watch(`${stage.product.url}/stream/${id}?client_id=quick`);
    await quick.reached(100_000);
    await using slow = watch(`${stage.product.url}/stream/${id}?client_id=slow`);
    await slow.reached(100_000);
    slow.pause();
    await quick.more(16_000_000);
    slow.resume();
    const skipped = quick.bytes - slow.bytes;
    await slow.more(12_000_000);
    expect(skipped).toBeGreaterThan(4_000_000);
    expect(checkTs(quick.body())).toMatchObject({ counterErrors: [], stepsBack: [] });
    expect(slow.body()[0]).toBe(0x47);
    expect(quick.bytes - slow.bytes).toBeGreaterThan(1_000_000);
    expect({ quick: quick.ending, slow: slow.ending, requests: provider.requests.length }).toEqual({
      quick: undefined,
      slow: undefined,
      requests: 1,
    });
  });
});
