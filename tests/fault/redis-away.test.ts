import { describe, expect, it } from 'vitest';
import { liveTs, startFakeProvider } from '../support/fake-provider.ts';
import { LoopedTs } from '../support/looped-ts.ts';
import { media } from '../support/media.ts';
import { eventually } from '../support/processes.ts';
import { startProduct } from '../support/product.ts';
import { startRedis } from '../support/redis.ts';
import { watch } from '../support/viewer.ts';
import { startWebhookSink } from '../support/webhook-sink.ts';

const made = await media();
const main = await LoopedTs.open(made.main, made.durationMs);

describe('while Redis is away', () => {
  it('plays go on and begin, writes say 503, and every event comes afterwards', async () => {
    await using redis = await startRedis();
    await using product = await startProduct({ env: { REDIS_URL: redis.url } });
    await using provider = await startFakeProvider({ '/live.ts': liveTs(main) });
    await using sink = await startWebhookSink();
    await product.api.registerWebhook({ url: sink.url });
    const [running, known] = await Promise.all(
      ['running', 'known'].map((name) =>
        product.api.createStream({ url: provider.url(`/live.ts?${name}`) }),
      ),
    );
    await using viewer = watch(`${product.url}/stream/${running}`);
    await viewer.reached(50_000);
    await sink.event('client_connected', running);

    await redis.kill();
    await viewer.more(100_000);
    await using late = watch(`${product.url}/stream/${known}`);
    await late.reached(50_000);
    const refused = await product.api.post('/streams', { url: provider.url('/live.ts?new') });
    expect(refused).toMatchObject({ status: 503, body: { code: 'STORE_UNAVAILABLE' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await product.api.isAlive()).toBe(true);
    expect((await product.api.get('/streams')).body['total']).toBe(2);
    late.leave();
    viewer.leave();

    await redis.start();
    await eventually('a stream can be created', async () => {
      const { status } = await product.api.post('/streams', { url: provider.url('/live.ts?new') });
      return status === 200;
    });
    for (const id of [String(running), String(known)]) {
      await sink.event('stream_stopped', id, 20_000);
      expect(sink.of('client_disconnected', id)).toHaveLength(1);
      expect(sink.of('stream_stopped', id)).toHaveLength(1);
    }
  });
});
