import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { liveTs, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../scripts/faultd.d/media.ts';
import { startProduct } from '../support/product.ts';
import { watch } from '../support/viewer.ts';
import { startWebhookSink } from '../support/webhook-sink.ts';

const made = await media();
const main = await LoopedTs.open(made.main, made.durationMs);

describe('a restart', () => {
  it('keeps streams and webhooks, and both work at once', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'penstock-restart-'));
    await using provider = await startFakeProvider({ '/live.ts': liveTs(main) });
    await using sink = await startWebhookSink();
    const before = await startProduct({ dataDir });
    await before.api.registerWebhook({ url: sink.url, events: ['stream_started'] });
    const id = await before.api.createStream({
      url: provider.url('/live.ts'),
      failover_urls: [provider.url('/backup.ts')],
      metadata: { id: 5 },
    });
    const created = (await before.api.get(`/streams/${id}`)).body['stream'];
    await before.stop();

    await using after = await startProduct({ dataDir });
    const { body } = await after.api.get(`/streams/${id}`);
    expect(body['stream']).toMatchObject({
      ...(created as object),
      last_access: expect.any(String),
    });
    expect((await after.api.get('/webhooks')).body).toMatchObject({
      webhooks: [{ url: sink.url, events: ['stream_started'] }],
    });
    await using viewer = watch(`${after.url}/stream/${id}`);
    await viewer.reached(50_000);
    await sink.until(() => sink.of('stream_started', id).length > 0);
    viewer.leave();
    await after.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('ends viewers, and tells it, when it drains', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'penstock-restart-'));
    await using provider = await startFakeProvider({ '/live.ts': liveTs(main) });
    await using sink = await startWebhookSink();
    const first = await startProduct({ dataDir });
    await first.api.registerWebhook({ url: sink.url });
    const id = await first.api.createStream({ url: provider.url('/live.ts') });
    await using viewer = watch(`${first.url}/stream/${id}`);
    await viewer.reached(50_000);
    await first.stop();
    expect(viewer.ending).toBeDefined();
    expect(provider.open()).toBe(0);
    // What the worker had no time for comes after the next start.
    await using second = await startProduct({ dataDir });
    await sink.event('stream_stopped', id);
    expect(sink.of('client_disconnected', id)).toHaveLength(1);
    expect(sink.of('stream_stopped', id)).toHaveLength(1);
    await second.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
});
