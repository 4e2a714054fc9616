import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  file,
  folder,
  liveTs,
  resetAfter,
  slowHeaders,
  startFakeProvider,
} from '../support/fake-provider.ts';
import { eventually } from '../support/processes.ts';
import { useProduct } from '../support/use-product.ts';
import { fetchOnce, watch } from '../support/viewer.ts';

const stage = useProduct({ env: { LOG_LEVEL: 'warn', STREAM_RETRY_ATTEMPTS: '0' } });

const filesOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

const ROUNDS = 40;

describe('comings and goings', () => {
  it('of every kind leave no connection, no viewer and no file open', async () => {
    await using provider = await startFakeProvider({
      '/live.ts': liveTs(stage.main),
      '/waits.ts': liveTs(stage.main),
      '/breaks.ts': liveTs(stage.main),
      '/film.mp4': file(stage.media.mp4, { bytesPerSecond: 500_000 }),
      '/film/': folder(stage.media.hls.ts),
    });
    provider.setFault('/waits.ts', slowHeaders(60_000));
    provider.setFault('/breaks.ts', resetAfter(0));
    const paths = ['/live.ts', '/waits.ts', '/breaks.ts', '/film.mp4'];
    const ids = await Promise.all(
      paths.map((path) => stage.product.api.createStream({ url: provider.url(path) })),
    );
    const shared = await stage.product.api.createStream({
      url: provider.url('/live.ts?shared'),
      sharing: 'shared',
    });
    const list = await stage.product.api.createStream({ url: provider.url('/film/index.m3u8') });
    const api = stage.product.pid('api');
    const before = filesOf(api);
    for (let round = 0; round < ROUNDS; round += 1) {
      const viewers = [...ids, shared].map((id) => watch(`${stage.product.url}/stream/${id}`));
      await fetchOnce(`${stage.product.url}/hls/${list}/playlist.m3u8?client_id=poller`);
      await provider.until(() => provider.open('/waits.ts') === 1);
      for (const viewer of viewers) viewer.leave();
      await provider.until(() => provider.open('/waits.ts') === 0);
    }
    await stage.product.api.delete(`/hls/${list}/clients/poller`);
    await provider.until(() => provider.open() === 0, 2_000);
    await eventually('nobody watches', async () => {
      const { body } = await stage.product.api.get('/stats');
      return body['total_clients'] === 0;
    });
    // Connections that are kept for later requests, to us and from us, are few and bounded.
    await eventually('files are closed', () => filesOf(api) <= before + 8);
    expect(provider.maxOpen('/live.ts')).toBeLessThanOrEqual(4);
  });
});
