import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ApiMetrics, WorkerMetrics } from '#telemetry';
import { metricsIn } from '../support/exposition.ts';
import type { DescribedMetric } from '../support/exposition.ts';

const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
const ROW = /^\| `(\w+)` +\| (\w+) +\| (.*?) +\|/gm;

const documented: readonly DescribedMetric[] = [...page.matchAll(ROW)].map(
  ([, name = '', type = '', labels = '']) => ({
    name,
    type,
    labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label).toSorted(),
  }),
);

const none = { streams: 0, activeStreams: 0, viewers: 0, bytesServed: 0 };

async function apiText(): Promise<string> {
  const metrics = new ApiMetrics('1.2.3', {
    streams: () => ({ live: none, hls: none, vod: none, dash: none }),
    readBytes: () => ({ live: 0, hls: 0, vod: 0 }),
    journal: () => ({ pending: 0, lost: 0 }),
    isRedisUp: () => true,
    providerConnections: () => ({ live: 1 }),
  });
  metrics.failed('UPSTREAM_RESET');
  metrics.switched('UPSTREAM_RESET', { gapMs: 1, detectionMs: 1, connectMs: 1 });
  metrics.answered('stream', 200);
  return metrics.text();
}

const shown = new Map(
  [
    ...metricsIn(await apiText()),
    ...metricsIn(await new WorkerMetrics('1', () => true).text()),
  ].map((metric) => [metric.name, metric]),
);

const isOurs = ({ name }: DescribedMetric): boolean => name.startsWith('penstock_');

const types = (metrics: readonly DescribedMetric[]) =>
  metrics.map(({ name, type }) => `${name} ${type}`).toSorted();

const labels = (metrics: readonly DescribedMetric[]) =>
  metrics.filter(isOurs).map((metric) => `${metric.name} ${metric.labels.join()}`);

describe('docs/metrics.md', () => {
  it('has a row for each metric that the processes show, and no other', () => {
    const names = documented.map(({ name }) => name);
    expect(names.toSorted()).toEqual([...shown.keys()].toSorted());
  });

  it('gives their types', () => {
    expect(types(documented)).toEqual(types([...shown.values()]));
  });

  it('gives the labels of ours', () => {
    expect(labels(documented).toSorted()).toEqual(labels([...shown.values()]).toSorted());
  });
});
