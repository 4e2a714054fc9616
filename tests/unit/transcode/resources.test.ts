import { describe, expect, it } from 'vitest';
import { RunLedger, UsageWatch, admission, newRunId, planOf } from '#transcode';
import type { Amounts, Hardware } from '#transcode';
import { placeOf } from '../../../services/transcode/resources.ts';

const SOFTWARE: Hardware = { kind: 'software', device: undefined };
const NVENC: Hardware = { kind: 'nvenc', device: undefined };
const ALL = { slots: 8, cpu: 2, gpu: 2 };
const NOTHING = { slots: 0, cpu: 0, gpu: 0 };

const sizes = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ width: null, height: 90 + 2 * at, bitrate: '100k' }));

const run = (profile: string, renditions = 0, softwareOnly = false) => ({
  plan: planOf({
    profile,
    variables: {},
    format: 'mpegts',
    isTrusted: false,
    renditions: sizes(renditions),
  }),
  softwareOnly,
});

const worker = (hardware: readonly Hardware[], taken: Partial<Amounts> = {}) => ({
  hardware,
  capacity: hardware[0] === SOFTWARE ? { ...ALL, gpu: 0 } : ALL,
  taken: { ...NOTHING, ...taken },
});
const plain = (taken: Partial<Amounts> = {}) => worker([SOFTWARE], taken);
const withDevice = (taken: Partial<Amounts> = {}) => worker([NVENC, SOFTWARE], taken);

const onDevice = (gpu: number) => ({ hardware: NVENC, needs: { slots: 1, cpu: 0, gpu } });
const inSoftware = (cpu: number) => ({ hardware: SOFTWARE, needs: { slots: 1, cpu, gpu: 0 } });
const because = (reason: string) => ({ fallback: { from: 'nvenc', reason } });

describe('the place of a run on a worker', () => {
  it.each([
    ['pictures on the device', run('default'), withDevice(), onDevice(1)],
    ['each size of a ladder', run('default', 2), withDevice(), onDevice(2)],
    ['pictures in software', run('default'), plain(), inSoftware(1)],
    ['sound alone', run('audio'), plain({ cpu: 2 }), inSoftware(0)],
    ['more than there is', run('default', 5), plain(), inSoftware(5)],
    ['more than is left', run('default', 5), plain({ cpu: 1 }), { full: 'cpu' }],
    ['no processor left', run('default'), plain({ cpu: 2 }), { full: 'cpu' }],
    ['no slot left', run('audio'), plain({ slots: 8 }), { full: 'slots' }],
    [
      'no session left',
      run('default'),
      withDevice({ gpu: 2 }),
      { ...inSoftware(1), ...because('gpu_sessions_busy') },
    ],
    ['neither left', run('default'), withDevice({ gpu: 2, cpu: 2 }), { full: 'gpu' }],
    [
      'a device that failed',
      run('default', 0, true),
      withDevice(),
      { ...inSoftware(1), ...because('hardware_failed') },
    ],
    ['a copy', run('-i x -c copy -f mpegts pipe:1'), plain({ cpu: 2 }), inSoftware(0)],
    ['a template', run('-i x -c:v libx264 -f mpegts pipe:1'), plain(), inSoftware(1)],
    [
      'a template of the device',
      run('-i x -c:v h264_nvenc -f mpegts -'),
      withDevice(),
      onDevice(1),
    ],
    [
      'a template of a device that is full',
      run('-i x -c:v h264_nvenc -f mpegts -'),
      withDevice({ gpu: 2 }),
      { full: 'gpu' },
    ],
  ])('with %s', (_name, wanted, holder, expected) => {
    expect(placeOf(wanted, holder)).toMatchObject(expected);
  });
});

describe('admission', () => {
  const wanted = run('default');

  it('looks at every worker', () => {
    expect(admission([], [], wanted)).toBe('no_worker');
    expect(admission([plain({ cpu: 2 })], [], wanted)).toBe('cpu');
    expect(admission([plain({ cpu: 2 }), plain()], [], wanted)).toBeUndefined();
  });

  it('counts those that wait for a worker', () => {
    expect(admission([plain({ cpu: 1 })], [wanted], wanted)).toBe('cpu');
    expect(admission([plain(), plain()], [wanted, wanted, wanted], wanted)).toBeUndefined();
    expect(admission([plain(), plain()], Array(4).fill(wanted), wanted)).toBe('cpu');
  });
});

describe('a ledger of runs', () => {
  it('gives back once what was taken once', () => {
    let changes = 0;
    const ledger = new RunLedger({
      capacity: () => ALL,
      hardware: () => [NVENC, SOFTWARE],
      changed: () => (changes += 1),
    });
    const places = [run('default', 2), run('default'), run('default'), run('default')].map((one) =>
      ledger.take({ ...one, runId: newRunId() }),
    );
    expect(ledger.taken).toEqual({ slots: 3, cpu: 2, gpu: 2 });
    expect(places.at(-1)).toEqual({ full: 'gpu' });
    for (const place of places) {
      if (!('release' in place)) continue;
      place.release();
      place.release();
    }
    expect(ledger.taken).toEqual(NOTHING);
    expect(ledger.runs).toEqual([]);
    expect(changes).toBe(6);
  });
});

describe('what a run may use', () => {
  const MIB = 1024 * 1024;
  const watch = () => new UsageWatch({ memoryBytes: 100 * MIB, cpuPercent: 150, windowMs: 10_000 });

  it('is judged at once for memory', () => {
    const usage = watch();
    expect(usage.see({ cpuMs: 0, memoryBytes: 100 * MIB }, 0)).toBeUndefined();
    expect(usage.see({ cpuMs: 0, memoryBytes: 101 * MIB }, 1000)).toBe('memory');
  });

  it('is judged over ten seconds for processors', () => {
    const usage = watch();
    const seen = Array.from({ length: 12 }, (_, second) =>
      usage.see({ cpuMs: second * 2000, memoryBytes: MIB }, second * 1000),
    );
    expect(seen.indexOf('cpu')).toBe(10);
    expect(usage.now).toEqual({ cpuPercent: 200, memoryBytes: MIB });
  });

  it('does not hold a burst against it', () => {
    const usage = watch();
    let cpuMs = 0;
    for (let second = 0; second < 30; second += 1) {
      cpuMs += second % 10 < 5 ? 2500 : 300;
      expect(usage.see({ cpuMs, memoryBytes: MIB }, second * 1000)).toBeUndefined();
    }
  });

  it('is anything where there is no limit', () => {
    const usage = new UsageWatch({
      memoryBytes: undefined,
      cpuPercent: undefined,
      windowMs: 10_000,
    });
    usage.see({ cpuMs: 0, memoryBytes: 1e12 }, 0);
    expect(usage.see({ cpuMs: 1e9, memoryBytes: 1e12 }, 60_000)).toBeUndefined();
  });
});
