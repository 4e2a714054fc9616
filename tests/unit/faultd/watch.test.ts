import { describe, expect, it } from 'vitest';
import { parseCommand } from '../../../scripts/faultd.d/cli.ts';
import { GapMeter } from '../../../scripts/faultd.d/watch/gap-meter.ts';
import { PacketReader } from '../../../scripts/faultd.d/watch/packet-reader.ts';
import { redactedUrl } from '../../../scripts/faultd.d/watch/redacted-url.ts';
import { Tables } from '../../../scripts/faultd.d/watch/tables.ts';
import { TsMeter } from '../../../scripts/faultd.d/watch/ts-meter.ts';
import { WholeUnits } from '../../../scripts/faultd.d/watch/whole-units.ts';
import { packet, section, type PacketSpec } from './packets.ts';

const VIDEO = 0x100;
const MAP_PID = 0x1000;
const measured = (specs: readonly Partial<PacketSpec>[]) => {
  const meter = new TsMeter();
  for (const [index, spec] of specs.entries()) {
    meter.see(packet({ pid: VIDEO, counter: index & 15, ...spec }), index * 100);
  }
  return meter.report;
};

describe('gaps', () => {
  it('count from the threshold on, from the first byte to the end', () => {
    const gaps = new GapMeter(500);
    for (const atMs of [3_000, 3_100, 3_700, 3_800]) gaps.see(atMs);
    gaps.end(5_000);
    expect(gaps.report).toEqual({
      threshold_ms: 500,
      count: 2,
      largest_ms: 1_200,
      total_ms: 1_800,
      list: [
        { at_ms: 3_100, gap_ms: 600 },
        { at_ms: 3_800, gap_ms: 1_200 },
      ],
    });
  });

  it('are none without a byte, or while the reader pauses', () => {
    const silent = new GapMeter(500);
    silent.end(9_000);
    expect(silent.report.count).toBe(0);
    const paused = new GapMeter(500);
    paused.see(0);
    paused.resume(2_000);
    paused.see(2_100);
    expect(paused.report).toMatchObject({ count: 0, largest_ms: 100 });
  });
});

describe('continuity', () => {
  it.each([
    ['goes on', [0, 1, 2], 0],
    ['wraps', [14, 15, 0], 0],
    ['may repeat a packet once', [4, 4, 5], 0],
    ['may not repeat it twice', [4, 4, 4], 1],
    ['jumps', [4, 6, 7], 1],
  ])('%s', (_name, counters, errors) => {
    expect(measured(counters.map((counter) => ({ counter }))).continuity_errors).toBe(errors);
  });

  it('names PID, place and what was due', () => {
    const report = measured([{ counter: 4 }, { counter: 6 }]);
    expect(report.continuity_faults).toEqual([{ at_ms: 100, pid: VIDEO, due: 5, is: 6 }]);
    expect(report.pids).toEqual({
      [VIDEO]: { packets: 2, continuity_errors: 1, largest_gap_ms: 100 },
    });
  });

  it('may jump where that is announced', () => {
    const report = measured([{ counter: 4 }, { counter: 9, discontinuity: true }]);
    expect(report).toMatchObject({ continuity_errors: 0, discontinuity_indicators: 1 });
  });
});

describe('clocks', () => {
  const WRAP = 2 ** 33;

  it('find steps back, leaps and stand-stills', () => {
    const { pcr } = measured([9_000, 18_000, 9_000, 9_000, 200_000].map((pcr90k) => ({ pcr90k })));
    expect(pcr).toEqual({
      backward: 1,
      largest_backward_ms: 100,
      backward_steps: [{ at_ms: 200, pid: VIDEO, step_ms: -100 }],
      leaps_ahead: 1,
      repeated: 1,
    });
  });

  it('wrap without a step', () => {
    const { pcr, dts, media_ms } = measured([
      { pcr90k: WRAP - 900, dts90k: WRAP - 900 },
      { pcr90k: 900, dts90k: 900 },
    ]);
    expect([pcr.backward, dts.backward, media_ms]).toEqual([0, 0, 20]);
  });

  it('begin anew on every PID where a new time base is announced', () => {
    const { pcr, dts } = measured([
      { dts90k: 90_000 },
      { pid: 0x101, counter: 1, dts90k: 90_000 },
      { counter: 1, pcr90k: 50, discontinuity: true },
      { pid: 0x101, counter: 2, dts90k: 100 },
    ]);
    expect([pcr.backward, dts.backward]).toEqual([0, 0]);
  });

  it('let presentation times step back as far as pictures are reordered', () => {
    const { pts, dts } = measured([{ dts90k: 90_000 }, { dts90k: 45_000 }]);
    expect([pts.backward, dts.backward]).toEqual([0, 1]);
  });
});

const pat = (version: number) => section(0, version, [0, 1, 0xe0 | (MAP_PID >> 8), 0]);
const pmt = (version: number) =>
  section(2, version, [0xe1, 0, 0xf0, 0, 0x1b, 0xe1, 0, 0xf0, 0, 0x0f, 0xe1, 1, 0xf0, 0]);

describe('tables', () => {
  it('are told with their version and tracks, each once until it changes', () => {
    const { tables } = measured([
      { pid: 0, payload: pat(0) },
      { pid: MAP_PID, payload: pmt(0) },
      { pid: 0, payload: pat(0) },
      { pid: MAP_PID, payload: pmt(1) },
    ]);
    expect(tables).toEqual([
      { at_ms: 0, table: 'pat', pid: 0, version: 0, content: ['4096'] },
      { at_ms: 100, table: 'pmt', pid: MAP_PID, version: 0, content: ['256:0x1b', '257:0x0f'] },
      { at_ms: 300, table: 'pmt', pid: MAP_PID, version: 1, content: ['256:0x1b', '257:0x0f'] },
    ]);
  });
});

it('the report has the tracks that never came', () => {
  const { pids } = measured([
    { pid: 0, payload: pat(0) },
    { pid: MAP_PID, payload: pmt(0) },
    { pid: VIDEO },
  ]);
  expect(pids['256']).toMatchObject({ packets: 1 });
  expect(pids['257']).toEqual({ packets: 0, continuity_errors: 0, largest_gap_ms: 100 });
});

describe('the packet reader', () => {
  const packets = Buffer.concat([0, 1, 2, 3, 4, 5].map((counter) => packet({ pid: 1, counter })));

  it.each([1, 100, 188, 500])('puts packets together from chunks of %i bytes', (size) => {
    const reader = new PacketReader();
    const read: Buffer[] = [];
    for (let at = 0; at < packets.length; at += size) {
      read.push(Buffer.from(reader.read(packets.subarray(at, at + size))));
    }
    expect(Buffer.concat(read).equals(packets)).toBe(true);
    expect([reader.syncLosses, reader.skippedBytes]).toEqual([0, 0]);
  });

  it('finds them again behind garbage', () => {
    const reader = new PacketReader();
    const read = reader.read(Buffer.concat([packets, Buffer.alloc(50, 1), packets]));
    expect(read.length).toBe(packets.length * 2);
    expect([reader.syncLosses, reader.skippedBytes]).toEqual([1, 50]);
  });

  it('keeps little of what is no transport stream', () => {
    const reader = new PacketReader();
    for (let index = 0; index < 100; index += 1) reader.read(Buffer.alloc(10_000, index));
    expect(reader.skippedBytes).toBeGreaterThan(900_000);
  });
});

describe('whole units', () => {
  it('go on when the next one on their PID begins', () => {
    const units = new WholeUnits(new Tables());
    const first = packet({ pid: VIDEO, counter: 0, dts90k: 1 });
    const more = packet({ pid: VIDEO, counter: 1 });
    const second = packet({ pid: VIDEO, counter: 2, dts90k: 2 });
    expect(units.take(Buffer.concat([first, more])).length).toBe(0);
    expect(units.take(second).equals(Buffer.concat([first, more]))).toBe(true);
    expect(units.rest().equals(second)).toBe(true);
  });

  it('do not hold back tables', () => {
    const table = packet({ pid: 0, counter: 0, payload: Buffer.alloc(4) });
    expect(new WholeUnits(new Tables()).take(table).equals(table)).toBe(true);
  });
});

describe('the command line', () => {
  it.each([
    [[], { name: 'help' }],
    [['a.yaml', '--port', '0'], { name: 'serve', scenario: 'a.yaml', port: 0 }],
    [['check', 'a.yaml'], { name: 'check', scenario: 'a.yaml' }],
    [
      ['watch', 'http://h/a.ts', '--seconds', '3', '--no-decode', '--json'],
      { name: 'watch', json: true, options: { seconds: 3, decode: false, gapThresholdMs: 500 } },
    ],
    [
      ['watch', 'https://h/a', '--header', 'X-A: b:c', '--insecure'],
      { options: { headers: { 'X-A': 'b:c' }, isInsecure: true } },
    ],
  ])('%j', (args, command) => {
    expect(parseCommand(args)).toMatchObject(command);
  });

  it.each([
    [['watch'], 'takes one argument'],
    [['watch', 'ftp://h/a'], 'no http address'],
    [['watch', 'http://h/a', '--seconds', 'x'], '--seconds takes a number'],
    [['a.yaml', 'b.yaml'], 'one scenario at a time'],
    [['a.yaml', '--fast'], '--fast'],
    [['watch', 'http://h/a', '--header', 'x'], 'Name: value'],
  ])('%j: %s', (args, problem) => {
    expect(() => parseCommand(args)).toThrow(problem);
  });
});

it('addresses lose what may be a credential', () => {
  expect(redactedUrl('http://al:pw@h:1/live/al/pw/7.ts?token=x')).toBe('http://h:1/…/7.ts');
  expect(redactedUrl('http://h/a.ts')).toBe('http://h/a.ts');
});
