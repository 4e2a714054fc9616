import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '#kernel/error-codes';
import { ApiMetrics, WorkerMetrics } from '#telemetry';
import { seriesOf, valueOf } from '../../support/exposition.ts';

const totals = (bytesServed: number) => ({ streams: 3, activeStreams: 2, viewers: 5, bytesServed });

function apiMetrics() {
  const now = { served: 0, pending: 0, lost: 0 };
  const metrics = new ApiMetrics('1.2.3', {
    streams: () => ({ live: totals(now.served), hls: totals(0), vod: totals(0), dash: totals(0) }),
    readBytes: () => ({ live: 70, hls: 0, vod: 0 }),
    journal: () => now,
    isRedisUp: () => now.pending === 0,
    providerConnections: () => ({ live: 2, segment: 0 }),
  });
  return { metrics, now };
}

const gap = 'penstock_switch_gap_seconds';

describe('metrics of an api process', () => {
  it('put what a switch took into seconds, under its cause', async () => {
    const { metrics } = apiMetrics();
    metrics.switched('UPSTREAM_STALLED', { gapMs: 750, detectionMs: 600, connectMs: 150 });
    const text = await metrics.text();
    const cause = 'cause="stalled"';
    expect(valueOf(text, `${gap}_sum{${cause}}`)).toBe(0.75);
    expect(valueOf(text, `${gap}_bucket{le="0.5",${cause}}`)).toBe(0);
    expect(valueOf(text, `${gap}_bucket{le="0.75",${cause}}`)).toBe(1);
    expect(valueOf(text, `penstock_switch_detection_seconds_sum{${cause}}`)).toBe(0.6);
    expect(valueOf(text, `penstock_switch_connect_seconds_sum{${cause}}`)).toBe(0.15);
    expect(valueOf(text, `penstock_switches_total{${cause}}`)).toBe(1);
  });

  it('count a switch that nobody saw without a gap', async () => {
    const { metrics } = apiMetrics();
    metrics.switched('manual', undefined);
    const text = await metrics.text();
    expect(valueOf(text, 'penstock_switches_total{cause="manual"}')).toBe(1);
    expect(text).not.toContain(`${gap}_count{`);
  });

  it('read sums when they are asked for, and do not add them up', async () => {
    const { metrics, now } = apiMetrics();
    now.served = 100;
    await metrics.text();
    now.served = 250;
    now.pending = 4;
    const text = await metrics.text();
    expect(valueOf(text, 'penstock_served_bytes_total{kind="live"}')).toBe(250);
    expect(valueOf(text, 'penstock_read_bytes_total{kind="live"}')).toBe(70);
    expect(valueOf(text, 'penstock_viewers{kind="live"}')).toBe(5);
    expect(valueOf(text, 'penstock_journal_pending_changes')).toBe(4);
    expect(valueOf(text, 'penstock_redis_up')).toBe(0);
  });

  it('have no more series than there are words, whatever happens', async () => {
    const { metrics } = apiMetrics();
    for (const code of ERROR_CODES) {
      metrics.failed(code);
      metrics.switched(code, { gapMs: 1, detectionMs: 1, connectMs: 1 });
    }
    for (let status = 0; status < 2_000; status += 1) metrics.answered('segment', status);
    metrics.answered('stream', undefined);
    const text = await metrics.text();
    expect(seriesOf(text, 'penstock_source_failures_total')).toHaveLength(ERROR_CODES.length);
    expect(seriesOf(text, `${gap}_count`)).toHaveLength(ERROR_CODES.length);
    expect(seriesOf(text, 'penstock_http_requests_total').length).toBeLessThan(70);
    expect(valueOf(text, 'penstock_http_requests_total{route="stream",status="none"}')).toBe(1);
  });

  it('are of one instance: a second process in a test begins at nothing', async () => {
    apiMetrics().metrics.failed('UPSTREAM_RESET');
    expect(await apiMetrics().metrics.text()).not.toContain('class="reset"');
  });
});

describe('metrics of a worker process', () => {
  it('count deliveries by outcome, each from zero on', async () => {
    const metrics = new WorkerMetrics('1.2.3', () => true);
    metrics.delivery('delivered');
    metrics.delivery('dropped', 12);
    const text = await metrics.text();
    const of = (outcome: string) =>
      valueOf(text, `penstock_webhook_deliveries_total{outcome="${outcome}"}`);
    expect(['delivered', 'retried', 'given_up', 'dropped'].map(of)).toEqual([1, 0, 0, 12]);
  });
});
