import { expect, it } from 'vitest';
import { eofAfter, liveTs, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { seriesOf, valueOf } from '../support/exposition.ts';
import { freePort } from '../support/product.ts';
import { useProduct } from '../support/use-product.ts';
import { watch } from '../support/viewer.ts';

const metricsPort = await freePort();
const stage = useProduct({ env: { METRICS_PORT: String(metricsPort) } });

const scraped = async (url: string): Promise<string> =>
  (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5_000) })).text();

it('a switch that a viewer saw is in the metrics of the api, its webhooks in those of the worker', async () => {
  await using provider = await startFakeProvider({
    '/main.ts': liveTs(stage.main),
    '/other.ts': liveTs(stage.other),
  });
  provider.setFault('/main.ts', eofAfter(300_000));
  const id = await stage.product.api.createStream({
    url: provider.url('/main.ts'),
    failover_urls: [provider.url('/other.ts')],
  });
  await using viewer = watch(`${stage.product.url}/stream/${id}`);
  await stage.sink.event('failover_triggered', id);
  const during = await scraped(stage.product.url);
  viewer.leave();
  await stage.sink.event('stream_stopped', id);
  const after = await scraped(stage.product.url);
  expect(valueOf(during, 'penstock_viewers{kind="live"}')).toBe(1);
  expect(seriesOf(during, 'penstock_switch_gap_seconds_count')).toHaveLength(1);
  expect(valueOf(after, 'penstock_viewers{kind="live"}')).toBe(0);
  const served = valueOf(after, 'penstock_served_bytes_total{kind="live"}') ?? 0;
  const read = valueOf(after, 'penstock_read_bytes_total{kind="live"}') ?? 0;
  expect(served).toBeGreaterThan(300_000);
  expect(read).toBeGreaterThanOrEqual(served);
  await expect
    .poll(async () => {
      const worker = await scraped(`http://127.0.0.1:${metricsPort}`);
      return valueOf(worker, 'penstock_webhook_deliveries_total{outcome="delivered"}');
    })
    .toBeGreaterThanOrEqual(4);
});
