import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { liveTs, startFakeProvider } from '../support/fake-provider.ts';
import { eventually } from '../support/processes.ts';
import { startProduct } from '../support/product.ts';
import { useProduct } from '../support/use-product.ts';
import { watch } from '../support/viewer.ts';

const stage = useProduct();

/** Registers a stream, watches it for a moment; all its events have then been accepted. */
async function glance(url: string): Promise<string> {
  const id = await stage.product.api.createStream({ url });
  await using viewer = watch(`${stage.product.url}/stream/${id}`);
  await viewer.reached(20_000);
  viewer.leave();
  return id;
}

/** Ids of a stream's events that the endpoint has, by type. */
const idsOf = (type: string, id: string): ReadonlySet<string> =>
  new Set(stage.sink.of(type, id).map(({ event_id }) => event_id));

describe('kill -9', () => {
  it('of the worker loses no event', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const returning = stage.product.killAndAwaitReturn('worker');
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      ids.push(await glance(provider.url(`/live.ts?worker=${index}`)));
    }
    await returning;
    await stage.product.killAndAwaitReturn('worker');
    for (const id of ids) {
      await stage.sink.until(() => idsOf('stream_stopped', id).size > 0, 45_000);
      for (const type of ['stream_started', 'client_connected', 'client_disconnected']) {
        expect({ type, count: idsOf(type, id).size }).toEqual({ type, count: 1 });
      }
      expect(idsOf('stream_stopped', id).size).toBe(1);
    }
  });

  it('of the api loses no event, and the end of its viewers is told', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const seen = await glance(provider.url('/live.ts?seen'));
    const cut = await stage.product.api.createStream({ url: provider.url('/live.ts?cut') });
    await using viewer = watch(`${stage.product.url}/stream/${cut}`);
    await viewer.reached(20_000);
    await stage.sink.event('client_connected', cut);
    await stage.product.killAndAwaitReturn('api');
    await viewer.ended();
    await stage.sink.event('stream_stopped', seen, 20_000);
    const { data } = await stage.sink.event('stream_stopped', cut, 45_000);
    expect(data).toMatchObject({ reason: 'node_lost' });
    expect(idsOf('stream_stopped', cut).size).toBe(1);
    await using again = watch(`${stage.product.url}/stream/${cut}`);
    await again.reached(20_000);
  });

  it('of the supervisor leaves no process behind, and the next start goes on', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'penstock-killed-'));
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const killed = await startProduct({ dataDir });
    const id = await killed.api.createStream({ url: provider.url('/live.ts?supervisor') });
    await using viewer = watch(`${killed.url}/stream/${id}`);
    await viewer.reached(20_000);
    await killed.crash();
    expect(provider.open()).toBe(0);
    await using next = await startProduct({ dataDir });
    expect((await next.api.get(`/streams/${id}`)).status).toBe(200);
    await next.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('of Redis leaves the picture alone and loses no event', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const id = await stage.product.api.createStream({ url: provider.url('/live.ts?redis') });
    await using viewer = watch(`${stage.product.url}/stream/${id}`);
    await viewer.reached(20_000);
    await stage.sink.event('client_connected', id);
    await stage.product.killAndAwaitReturn('redis');
    await viewer.more(100_000);
    viewer.leave();
    await stage.sink.event('stream_stopped', id, 20_000);
    expect(idsOf('stream_stopped', id).size).toBe(1);
    await eventually('definitions can be written', async () => {
      const url = provider.url('/live.ts?after');
      return (await stage.product.api.post('/streams', { url })).status === 200;
    });
  });
});
