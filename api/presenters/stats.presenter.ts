import type { StreamSnapshot, Totals, ViewerSnapshot } from '#streams';
import { isoTime } from './iso-time.ts';
import type { ProviderPlaces } from '#api/deps';
import { presentHeld } from './places.presenter.ts';
import { presentStream } from './stream.presenter.ts';
import type { RunsOf } from './stream.presenter.ts';
import { presentWatching } from './viewer.presenter.ts';
import type { StatsOf } from './viewer.presenter.ts';

/** Counters of this process. Viewers are forgotten when they leave, so all of them are active. */
export const presentTotals = (totals: Totals) => ({
  total_streams: totals.streams,
  active_streams: totals.activeStreams,
  total_clients: totals.viewers,
  active_clients: totals.viewers,
  total_bytes_served: totals.bytesServed,
  total_segments_served: totals.segmentsServed,
  uptime_seconds: totals.uptimeSeconds,
});

type Everything = {
  readonly totals: Totals;
  readonly streams: readonly StreamSnapshot[];
  readonly viewers: readonly ViewerSnapshot[];
  readonly statsOf: StatsOf;
  readonly runsOf: RunsOf;
  readonly places: ReturnType<ProviderPlaces['held']>;
};

export const presentStats = ({ totals, streams, viewers, places, ...of }: Everything) => ({
  ...presentTotals(totals),
  streams: streams.map((stream) => presentStream(stream, of.runsOf)),
  clients: viewers.map((viewer) => presentWatching(viewer, of.statsOf)),
  provider_places: presentHeld(places),
});

/** m3u-proxy's four groups are always empty; their keys are kept. */
export const presentDetailedStats = ({ totals, streams, viewers }: Everything) => ({
  proxy_stats: presentTotals(totals),
  connection_pool_stats: {},
  failover_stats: {},
  performance_metrics: {},
  error_stats: {},
  stream_count: streams.length,
  client_count: viewers.length,
});

export const presentPerformance = (nowMs: number) => ({
  connection_pool: {},
  performance_metrics: {},
  failover_stats: {},
  error_stats: {},
  timestamp: isoTime(nowMs),
});
