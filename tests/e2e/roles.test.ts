import { describe, expect, it } from 'vitest';
import { liveTs, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../scripts/faultd.d/media.ts';
import { eventually } from '../support/processes.ts';
import { startProduct } from '../support/product.ts';
import { startRedis } from '../support/redis.ts';
import { watch } from '../support/viewer.ts';
import { startWebhookSink } from '../support/webhook-sink.ts';

const made = await media();
const main = await LoopedTs.open(made.main, made.durationMs);

describe('roles on machines of their own', () => {
  it('share streams, viewers and events through one Redis', async () => {
    await using redis = await startRedis();
    const env = { REDIS_URL: redis.url };
    await using one = await startProduct({ roles: 'api', env });
    await using two = await startProduct({ roles: 'api', env });
    await using worker = await startProduct({ roles: 'worker', env });
    await using provider = await startFakeProvider({ '/live.ts': liveTs(main) });
    await using sink = await startWebhookSink();

    await one.api.registerWebhook({ url: sink.url });
    const id = await one.api.createStream({ url: provider.url('/live.ts'), metadata: { k: 'v' } });
    await using viewer = watch(`${two.url}/stream/${id}`);
    await viewer.reached(50_000);
    const connected = await sink.event('client_connected', id);
    expect(connected.data).toMatchObject({ metadata: { k: 'v' } });
    viewer.leave();
    await sink.event('stream_stopped', id);
    expect(sink.of('stream_stopped', id)).toHaveLength(1);

    expect((await two.api.delete(`/streams/${id}`)).status).toBe(200);
    await eventually('the first api has heard of it', async () => {
      const { status } = await one.api.get(`/streams/${id}`);
      return status === 404;
    });
    expect(worker.pids().length).toBeGreaterThan(1);
  });
});
