import { describe, expect, it } from 'vitest';
import type { AppError } from '#kernel/app-error';
import { LoopLag } from '../../../services/delivery/live/loop-lag.ts';
import { SourceWatch } from '../../../services/delivery/live/source-watch.ts';
import { samplesOf, settings } from '../../support/source-story.ts';
import { TestLoop } from '../../support/test-loop.ts';

class Bench {
  readonly loop = new TestLoop();
  readonly lag = new LoopLag(this.loop, this.loop);
  readonly failures: AppError[] = [];
  readonly watch: SourceWatch;
  #pcr27m = 0;

  constructor() {
    const own = settings({ stall: { isAdaptive: true, floorMs: 300 } });
    const [sample] = samplesOf([{ ms: 250 }]);
    const facts = () => ({ ...sample!.facts, pcr27m: this.#pcr27m, tracks: [] });
    this.watch = new SourceWatch({
      stallMs: 15_000,
      detection: {
        settings: own,
        silence: own.silence,
        hasOther: () => true,
        lag: this.lag,
      },
      clock: this.loop,
      timers: this.loop,
      facts: () => facts,
      isSpare: () => false,
      lostBytes: () => 0,
      failed: (error) => this.failures.push(error),
      suspected: () => {},
    });
  }

  /** A source that sends all the time; we read it every 10 ms. */
  reads(forMs: number): void {
    for (let ms = 0; ms < forMs; ms += 10) this.readsAfter(10);
  }

  /** What has come while we did something else. */
  readsAfter(ms: number): void {
    this.loop.turn(ms, () => {
      this.#pcr27m += ms * 27_000;
      this.watch.heard(100 * ms);
    });
  }

  silence(): number {
    const fromMs = this.watch.lastMs;
    for (let ms = 0; ms < 20_000 && this.failures.length === 0; ms += 5) this.loop.turn(5);
    return this.loop.monotonicMs() - fromMs;
  }
}

describe('a process that is kept from reading', () => {
  it.each([60, 150, 290, 310, 400, 1000, 4000])(
    'for %i ms again and again does not blame a steady source',
    (blockedMs) => {
      const bench = new Bench();
      bench.reads(10_000);
      for (let time = 0; time < 50; time += 1) {
        bench.reads(10 * (time % 30));
        bench.readsAfter(blockedMs);
      }
      expect(bench.failures).toEqual([]);
    },
  );

  it('does not learn its own hiccups as the rhythm of the source', () => {
    const bench = new Bench();
    bench.reads(10_000);
    bench.readsAfter(900);
    bench.reads(100);
    expect(bench.silence()).toBeLessThan(350);
    expect(bench.failures.map(({ code }) => code)).toEqual(['UPSTREAM_STALLED']);
  });

  it('still notices a source that has fallen silent meanwhile', () => {
    const bench = new Bench();
    bench.reads(10_000);
    bench.loop.turn(2000);
    expect(bench.silence()).toBeLessThan(350 + 2000);
    expect(bench.failures.map(({ code }) => code)).toEqual(['UPSTREAM_STALLED']);
  });
});

describe('the lag of a process', () => {
  it('is measured while somebody watches, and costs nothing else', () => {
    const { loop, lag, watch } = new Bench();
    const leave = lag.watch();
    loop.turn(500);
    expect(lag.totalMs).toBe(480);
    watch.stop();
    loop.turn(20);
    leave();
    leave();
    loop.turn(5000);
    expect(lag.totalMs).toBe(480);
    expect(loop.pendingTimers).toBe(0);
  });

  it('counts what is being lost now', () => {
    const { loop, lag } = new Bench();
    let seenMs = 0;
    loop.after(15, () => (seenMs = lag.totalMs));
    loop.turn(300);
    expect(seenMs).toBe(280);
    expect(lag.totalMs).toBe(280);
  });
});
