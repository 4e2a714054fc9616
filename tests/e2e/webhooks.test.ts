import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { liveTs, startFakeProvider, type Recorded } from '../../scripts/faultd.d/fake-provider.ts';
import { useProduct } from '../support/use-product.ts';
import { watch } from '../support/viewer.ts';
import { startWebhookSink, type Delivered } from '../support/webhook-sink.ts';

const stage = useProduct();
const SECRET = `whsec_${Buffer.from('a secret of twenty-four b').toString('base64')}`;

/** Joins, sees a picture, leaves. */
async function glance(url: string): Promise<string> {
  const id = await stage.product.api.createStream({ url, metadata: { id: 9, type: 'channel' } });
  await using viewer = watch(`${stage.product.url}/stream/${id}`);
  await viewer.reached(20_000);
  viewer.leave();
  return id;
}

/** Standard Webhooks: HMAC over id, time and body. */
function signatureOf({ headers, body }: Recorded): string {
  const signed = [headers['webhook-id'], headers['webhook-timestamp'], body].join('.');
  const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64');
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}

const types = (delivered: readonly Delivered[]): readonly string[] =>
  delivered.map(({ event_type }) => event_type);

describe('webhooks', () => {
  it('tell one visit in order, each event once, signed', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    await using sink = await startWebhookSink();
    await stage.product.api.registerWebhook({ url: sink.url, secret: SECRET });
    const id = await glance(provider.url('/live.ts?signed'));
    await sink.event('stream_stopped', id);
    expect(types(sink.delivered)).toEqual([
      'stream_started',
      'client_connected',
      'client_disconnected',
      'stream_stopped',
    ]);
    for (const { event_id, timestamp, data, request } of sink.delivered) {
      expect(request.headers['webhook-id']).toBe(event_id);
      expect(request.headers['webhook-signature']).toBe(signatureOf(request));
      expect(timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/);
      expect(data['metadata']).toEqual({ id: '9', type: 'channel' });
    }
    await stage.product.api.delete(`/webhooks?webhook_url=${encodeURIComponent(sink.url)}`);
  });

  it('come again to an endpoint that failed, in order, and late to nobody else', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    await using shaky = await startWebhookSink();
    await using silent = await startWebhookSink();
    shaky.behave(500);
    silent.alwaysBehave('hang');
    await stage.product.api.registerWebhook({ url: silent.url, timeout: 2, retry_attempts: 1 });
    await stage.product.api.registerWebhook({ url: shaky.url, timeout: 2, retry_attempts: 3 });
    const startedAt = performance.now();
    const id = await glance(provider.url('/live.ts?shaky'));
    await stage.sink.event('stream_stopped', id);
    expect(performance.now() - startedAt).toBeLessThan(1_900);
    await shaky.event('stream_stopped', id);
    expect(types(shaky.delivered)).toEqual(
      types(stage.sink.of('stream_started', id)).concat([
        'client_connected',
        'client_disconnected',
        'stream_stopped',
      ]),
    );
    expect(shaky.attempts).toHaveLength(5);
    for (const { url } of [shaky, silent]) {
      await stage.product.api.delete('/webhooks', { webhook_url: url });
    }
    const { body } = await stage.product.api.get('/webhooks');
    expect(body['webhooks']).toMatchObject([{ url: stage.sink.url }]);
  });

  it('are registered once however often they are posted', async () => {
    await using sink = await startWebhookSink();
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    for (let times = 0; times < 3; times += 1) {
      await stage.product.api.registerWebhook({ url: sink.url, events: ['stream_stopped'] });
    }
    const id = await glance(provider.url('/live.ts?thrice'));
    await sink.event('stream_stopped', id);
    expect(types(sink.delivered)).toEqual(['stream_stopped']);
    await stage.product.api.delete('/webhooks', { webhook_url: sink.url });
  });

  it('can be tried', async () => {
    const path = `/webhooks/test?webhook_url=${encodeURIComponent(stage.sink.url)}`;
    expect((await stage.product.api.post(path)).body).toMatchObject({ delivered: true });
    const { data } = await stage.sink.event('stream_started', 'test_stream_123');
    expect(data).toMatchObject({ test: true });
  });
});
