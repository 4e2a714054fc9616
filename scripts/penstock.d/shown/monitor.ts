import { redactUrl } from '#kernel/redact-url';
import type { StatsAnswer, StreamAnswer } from '../service/answers.ts';
import { stateOf } from './streams.ts';
import { table } from './table.ts';
import { bitRate, bytes, duration } from './units.ts';

/** What the service said at one time. */
export type Sample = { readonly stats: StatsAnswer; readonly atMs: number };

export type MonitorRow = {
  readonly stream_id: string;
  readonly state: string;
  readonly viewers: number;
  /** To all viewers together; `null` until there is something to compare with. */
  readonly bytes_per_second: number | null;
  readonly bytes_served: number;
  readonly source: string;
  readonly switches: number;
};

/** The streams of a sample, the watched ones first, with what they moved since the one before. */
export function rowsOf({ stats, atMs }: Sample, before?: Sample): readonly MonitorRow[] {
  const served = new Map(
    before?.stats.streams.map((stream) => [stream.stream_id, stream.total_bytes_served]),
  );
  const seconds = before === undefined ? 0 : (atMs - before.atMs) / 1000;
  return stats.streams
    .toSorted((a, b) => b.client_count - a.client_count)
    .map((stream) => rowOf(stream, rateOf(stream, served.get(stream.stream_id), seconds)));
}

function rateOf(
  { total_bytes_served: now }: StreamAnswer,
  before: number | undefined,
  seconds: number,
): number | null {
  if (before === undefined || seconds <= 0) return null;
  // A stream that was registered anew counts from zero.
  return Math.max(0, Math.round((now - before) / seconds));
}

const rowOf = (stream: StreamAnswer, rate: number | null): MonitorRow => ({
  stream_id: stream.stream_id,
  state: stateOf(stream),
  viewers: stream.client_count,
  bytes_per_second: rate,
  bytes_served: stream.total_bytes_served,
  source: redactUrl(stream.current_url ?? stream.original_url),
  switches: stream.failover_attempts,
});

export function monitorText({ stats }: Sample, rows: readonly MonitorRow[]): string {
  const head =
    `${stats.active_streams} of ${stats.total_streams} streams watched, ` +
    `${stats.active_clients} viewers, ${bytes(stats.total_bytes_served)} served, ` +
    `up ${duration(stats.uptime_seconds)}`;
  return rows.length === 0 ? `${head}\n` : `${head}\n\n${table(HEADINGS, rows.map(cellsOf))}\n`;
}

const HEADINGS = ['STREAM', 'STATE', 'VIEWERS', 'RATE', 'SERVED', 'SOURCE', 'SWITCHES'];

const cellsOf = (row: MonitorRow): readonly string[] => [
  row.stream_id,
  row.state,
  String(row.viewers),
  row.bytes_per_second === null ? '-' : bitRate(row.bytes_per_second),
  bytes(row.bytes_served),
  row.source,
  String(row.switches),
];
