import { describe, expect, it } from 'vitest';
import { rowsOf } from '../../../scripts/penstock.d/shown/monitor.ts';
import { table } from '../../../scripts/penstock.d/shown/table.ts';
import { bitRate, bytes, duration } from '../../../scripts/penstock.d/shown/units.ts';
import type { StreamAnswer } from '../../../scripts/penstock.d/service/answers.ts';

describe('what the command line shows', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [1_500_000, '1.5 MB'],
    [2e18, '2000.0 PB'],
  ])('%d bytes are %s', (count, text) => {
    expect(bytes(count)).toBe(text);
  });

  it.each([
    [0, '00:00:00'],
    [59.9, '00:00:59'],
    [3_661, '01:01:01'],
    [93_784, '1d 02:03:04'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  it('counts rates in bits', () => {
    expect(bitRate(1_000_000)).toBe('8.0 Mbit/s');
  });

  it('keeps columns straight, cuts long cells, and lets no text move the cursor', () => {
    const text = table(
      ['A', 'B'],
      [
        ['one', '\u001B[2J!'],
        ['x'.repeat(60), 'two'],
      ],
    );
    expect(text.split('\n')).toEqual([
      `A${' '.repeat(49)}B`,
      `one${' '.repeat(47)}?[2J!`,
      `${'x'.repeat(47)}…  two`,
    ]);
  });

  it('finds rates between two looks, and puts watched streams first', () => {
    const rows = rowsOf(
      look(3_000, { idle: [0, 5], again: [1, 10], busy: [2, 9_000], fresh: [1, 7] }),
      look(1_000, { idle: [0, 5], again: [1, 4_000], busy: [2, 1_000] }),
    );
    expect(rows.map((row) => [row.stream_id, row.bytes_per_second])).toEqual([
      ['busy', 4_000],
      ['again', 0],
      ['fresh', null],
      ['idle', 0],
    ]);
  });
});

const streamWith = (id: string, viewers: number, served: number): StreamAnswer => ({
  stream_id: id,
  original_url: 'http://127.0.0.1/secret.ts',
  current_url: null,
  stream_type: 'HLS',
  client_count: viewers,
  is_active: viewers > 0,
  has_failover: false,
  failover_urls: [],
  current_failover_index: -1,
  failover_attempts: 0,
  last_failover_time: null,
  total_bytes_served: served,
  error_count: 0,
  slate: null,
  sharing: null,
  created_at: '',
  metadata: {},
  media_info: {},
  output_media_info: {},
});

type Counts = Readonly<Record<string, readonly [viewers: number, served: number]>>;

const look = (atMs: number, counts: Counts) => ({
  atMs,
  stats: {
    total_streams: 0,
    active_streams: 0,
    active_clients: 0,
    total_bytes_served: 0,
    total_segments_served: 0,
    uptime_seconds: 0,
    clients: [],
    streams: Object.entries(counts).map(([id, [viewers, served]]) =>
      streamWith(id, viewers, served),
    ),
  },
});
