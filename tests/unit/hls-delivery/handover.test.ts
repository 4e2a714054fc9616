import { describe, expect, it } from 'vitest';
import { UpstreamError } from '#kernel/app-error';
import type { Source, SourceWalk, Stream, SwitchTiming } from '#streams';
import { Handover } from '../../../services/delivery/hls/playlists/handover.ts';
import type { CutStream, Cutter } from '../../../services/delivery/hls/playlists/handover.ts';
import { TestClock, settle } from '../../support/test-clock.ts';

const sourceAt = (index: number): Source => ({
  url: `http://origin.example/${index}.ts`,
  index,
  headers: {},
});

/** A stream whose relay stands for itself: the walk that it was given is in the test's hands. */
function start() {
  const clock = new TestClock();
  const lasting = Promise.withResolvers<void>();
  const moved: ((source: Source) => void)[] = [];
  const told = { flowing: 0, failures: 0 };
  let current = sourceAt(1);
  const walk = {
    get current() {
      return current;
    },
    flowing: () => void (told.flowing += 1),
    failed: async () => {
      told.failures += 1;
      return current;
    },
    onMoved: (listener: (source: Source) => void) => {
      moved.push(listener);
      return () => {};
    },
  } as unknown as SourceWalk;
  const viewers = new Map<string, AbortSignal>();
  const cutting: CutStream = {
    lasting: lasting.promise,
    ready: Promise.resolve('packaged'),
    isClosed: false,
    targetDurationMs: 2_000,
    text: () => '#EXTM3U\n',
    keptBy: (viewer, ended) => void viewers.set(viewer, ended),
  };
  const reader: SourceWalk[] = [];
  const packaged: Cutter = {
    open: (_, walkOf) => {
      if (reader.length === 0) reader.push(walkOf({ holdsOut: () => false }));
      return cutting;
    },
    linksOf: () => () => '',
  };
  const timings: { askedAtMs: number; flowingAtMs: number }[] = [];
  const gap = {
    timing: (times: { askedAtMs: number; flowingAtMs: number }): SwitchTiming | undefined => {
      timings.push(times);
      return undefined;
    },
  };
  const removed = new AbortController();
  const { signal } = removed;
  const stream = { id: 's', removed: signal, walk: () => walk } as unknown as Stream;
  const handover = new Handover({ stream, walk, packaged, gap, clock, timers: clock });
  const begin = (source: Source): Promise<unknown> =>
    handover.begin(source, 'all', new AbortController().signal).catch((error: unknown) => error);
  const moveTo = (source: Source): void => {
    current = source;
    for (const listener of moved) listener(source);
  };
  const relay = (): SourceWalk => reader[0] as SourceWalk;
  return { clock, handover, begin, moveTo, relay, told, timings, viewers, lasts: lasting.resolve };
}

const down = new UpstreamError('UPSTREAM_REFUSED', { message: 'down' });

describe('Handover', () => {
  it('leaves the relay to find its sources where the stream was moved on in the middle of a trial', async () => {
    const bench = start();
    const first = bench.begin(sourceAt(1));
    await bench.clock.advance(300);
    const relay = bench.relay();
    relay.onMoved(() => {});
    relay.flowing();
    bench.moveTo(sourceAt(2));
    const second = bench.begin(sourceAt(2));
    await bench.clock.advance(300);
    relay.flowing();
    bench.lasts();
    await settle();
    expect(await first).toMatchObject({ code: 'UPSTREAM_CHANGED' });
    expect(await second).toMatchObject({ text: '#EXTM3U\n' });
    expect(bench.viewers.get('handover')?.aborted).toBe(false);
    const [timing] = bench.timings;
    expect(timing?.flowingAtMs).toBeGreaterThanOrEqual(timing?.askedAtMs ?? Infinity);
    const next = await relay.failed(sourceAt(2), down, new AbortController().signal);
    expect(next).toEqual(sourceAt(2));
    expect(bench.told.failures).toBe(1);
  });

  it('moves no stream on while a source is only tried', async () => {
    const bench = start();
    const trial = bench.begin(sourceAt(1));
    await bench.clock.advance(300);
    const { signal } = new AbortController();
    await expect(bench.relay().failed(sourceAt(1), down, signal)).rejects.toBe(down);
    expect(bench.told).toEqual({ flowing: 0, failures: 0 });
    bench.lasts();
    await trial;
    expect(bench.told.flowing).toBeGreaterThan(0);
  });
});
