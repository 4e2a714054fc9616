import { expect, it } from 'vitest';
import { UpstreamError } from '#kernel/app-error';
import { ApiMetrics } from '#telemetry';
import { valueOf } from '../../support/exposition.ts';
import { FakeResolver } from '../../support/fake-state.ts';
import { startRegistry, streamInput, VIEWER } from '../../support/stream-bench.ts';

const PRIMARY = 'http://user:secret@example.com/live/a.ts';
const BACKUP = 'http://user:secret@example.org/live/b.ts';

it('failures, switches and bytes are counted without a word of the stream', async () => {
  const metrics = new ApiMetrics('1', {
    streams: () => bench.registry.totalsByKind(),
    readBytes: () => ({ live: 0, hls: 0, vod: 0 }),
    journal: () => ({ pending: 0, lost: 0 }),
    isRedisUp: () => true,
    providerConnections: () => ({ live: 1 }),
  });
  const bench = await startRegistry(new FakeResolver(), { meter: metrics });
  const { snapshot } = await bench.registry.create(
    streamInput(PRIMARY, { failoverUrls: [BACKUP] }),
  );
  const { id } = snapshot.definition;
  const stream = await bench.registry.open(id);
  const viewer = stream.join(VIEWER, 0);
  viewer.served(1_000);
  const walk = stream.walk();
  walk.flowing();
  const stalled = new UpstreamError('UPSTREAM_STALLED', { message: 'Silent.' });
  const going = walk.failed(walk.current, stalled, new AbortController().signal);
  await bench.clock.advance(5_000);
  await going;
  walk.flowing({ gapMs: 900, detectionMs: 700, connectMs: 200 });
  const text = await metrics.text();
  expect(valueOf(text, 'penstock_source_failures_total{class="stalled"}')).toBe(1);
  expect(valueOf(text, 'penstock_switch_gap_seconds_count{cause="stalled"}')).toBe(1);
  expect(valueOf(text, 'penstock_viewers{kind="live"}')).toBe(1);
  expect(valueOf(text, 'penstock_served_bytes_total{kind="live"}')).toBe(1_000);
  viewer.close('client_disconnected');
  await bench.registry.remove(id, { reason: 'manual_deletion' });
  const after = await metrics.text();
  expect(valueOf(after, 'penstock_streams{kind="live"}')).toBe(0);
  expect(valueOf(after, 'penstock_served_bytes_total{kind="live"}')).toBe(1_000);
  for (const part of [id, 'secret', 'example', VIEWER.ipAddress]) expect(text).not.toContain(part);
});
