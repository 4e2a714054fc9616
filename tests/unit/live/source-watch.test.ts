import { describe, expect, it } from 'vitest';
import type { AppError } from '#kernel/app-error';
import { SourceWatch } from '../../../services/delivery/live/source-watch.ts';
import { samplesOf, settings } from '../../support/source-story.ts';
import { TestClock } from '../../support/test-clock.ts';

const CEILING_MS = 15_000;

/** A watch over a source that a test plays: it hears chunks and knows a healthy source's facts. */
class Bench {
  readonly clock = new TestClock();
  readonly failures: AppError[] = [];
  readonly suspicions: boolean[] = [];
  readonly watch: SourceWatch;
  isSpare: boolean;
  #pcr27m: number | undefined;

  constructor({
    hasOther = true,
    isJudged = true,
    isAdaptive = true,
    hasClock = true,
    isSpare = false,
  } = {}) {
    this.isSpare = isSpare;
    const [sample] = samplesOf([{ ms: 250 }]);
    this.#pcr27m = hasClock ? 0 : undefined;
    const facts = () => ({ ...sample!.facts, pcr27m: this.#pcr27m, tracks: [] });
    const own = settings({ stall: { isAdaptive, floorMs: 300 } });
    this.watch = new SourceWatch({
      stallMs: CEILING_MS,
      detection: { settings: own, silence: own.silence, hasOther: () => hasOther },
      clock: this.clock,
      timers: this.clock,
      facts: () => (isJudged ? facts : undefined),
      isSpare: () => this.isSpare,
      lostBytes: () => 0,
      failed: (error) => this.failures.push(error),
      suspected: (isSuspected) => this.suspicions.push(isSuspected),
    });
  }

  /** Chunks, each with as much media as time passes until the next. */
  async chunks(everyMs: number, forMs: number): Promise<void> {
    for (let ms = 0; ms < forMs; ms += everyMs) {
      this.#send(everyMs);
      await this.clock.advance(everyMs);
    }
  }

  async silenceUntilFailure(limitMs = 20_000): Promise<number> {
    const fromMs = this.watch.lastMs;
    for (let ms = 0; ms < limitMs && this.failures.length === 0; ms += 10) {
      await this.clock.advance(10);
    }
    return this.clock.monotonicMs() - fromMs;
  }

  #send(mediaMs: number): void {
    this.watch.heard(1000 * mediaMs);
    this.watch.took([]);
    if (this.#pcr27m !== undefined) this.#pcr27m += mediaMs * 27_000;
  }
}

describe('a source that falls silent', () => {
  it.each([
    ['after 10 s of steady sending', 20, 10_000, {}, 300],
    ['after bursts of 2 s', 2000, 20_000, {}, 4500],
    ['and is new: what it was ahead, and 2 s', 20, 1000, {}, 2000],
    ['and is new, without a clock', 20, 1000, { hasClock: false }, CEILING_MS],
    ['and is a spare that nobody sees', 20, 10_000, { isSpare: true }, 3000],
    [
      'and is a spare that is new: what it was ahead, and 2 s more',
      20,
      1000,
      { isSpare: true },
      3000,
    ],
    ['and is the only one', 20, 10_000, { hasOther: false }, 3000],
    ['and nobody looks into it', 20, 10_000, { isJudged: false }, CEILING_MS],
    ['and the switch is off', 20, 10_000, { isAdaptive: false }, CEILING_MS],
    ['before it sent anything', 20, 0, {}, CEILING_MS],
  ] as const)('%s is stalled after its own time', async (_name, everyMs, forMs, options, ms) => {
    const bench = new Bench(options);
    await bench.chunks(everyMs, forMs);
    const silentMs = await bench.silenceUntilFailure();
    expect(bench.failures.map(({ code }) => code)).toEqual(['UPSTREAM_STALLED']);
    expect(silentMs).toBeGreaterThanOrEqual(ms);
    expect(silentMs).toBeLessThanOrEqual(ms + 60);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it('is suspected half-way, and no longer when it is heard', async () => {
    const bench = new Bench();
    await bench.chunks(20, 10_000);
    await bench.clock.advance(200);
    expect(bench.suspicions).toEqual([true]);
    await bench.chunks(20, 100);
    expect(bench.suspicions).toEqual([true, false]);
    expect(bench.failures).toEqual([]);
  });

  it('is not suspected while we do not read it, however long', async () => {
    const bench = new Bench();
    await bench.chunks(20, 10_000);
    bench.watch.pause();
    await bench.clock.advance(600_000);
    bench.watch.resume();
    await bench.chunks(20, 2000);
    expect(bench.failures).toEqual([]);
    expect(await bench.silenceUntilFailure()).toBeLessThan(400);
  });

  it('has a moment to begin again when we read on', async () => {
    const bench = new Bench();
    await bench.chunks(20, 10_000);
    bench.watch.pause();
    await bench.clock.advance(60_000);
    bench.watch.resume();
    await bench.clock.advance(1500);
    expect(bench.failures).toEqual([]);
    expect(await bench.silenceUntilFailure()).toBeLessThan(2100);
  });

  it('leaves no timer when it is left', async () => {
    const bench = new Bench();
    await bench.chunks(20, 1000);
    bench.watch.stop();
    bench.watch.stop();
    expect(bench.clock.pendingTimers).toBe(0);
  });
});

describe('a spare that takes over', () => {
  it('is judged by what it was ahead of time as a spare, not by the ceiling', async () => {
    const bench = new Bench({ isSpare: true });
    await bench.chunks(20, 1500);
    bench.isSpare = false;
    bench.watch.judgeAnew();
    expect(await bench.silenceUntilFailure()).toBeLessThan(2100);
  });
});

describe('a process that is too busy to read', () => {
  it('does not blame the source', () => {
    const late = new LateClock();
    const failures: AppError[] = [];
    const own = settings();
    const watch = new SourceWatch({
      stallMs: 1000,
      detection: { settings: own, silence: own.silence, hasOther: () => true },
      clock: late,
      timers: late,
      facts: () => undefined,
      isSpare: () => false,
      lostBytes: () => 0,
      failed: (error) => failures.push(error),
      suspected: () => {},
    });
    late.fireAfter(5000);
    expect(failures).toEqual([]);
    for (let turn = 0; turn < 8; turn += 1) late.fireAfter(250);
    expect(failures.map(({ code }) => code)).toEqual(['UPSTREAM_STALLED']);
    watch.stop();
  });
});

/** Its one timer fires when the test says so. */
class LateClock extends TestClock {
  #passedMs = 0;
  #call: (() => void) | undefined;

  override monotonicMs(): number {
    return this.#passedMs;
  }

  override after(_delayMs: number, call: () => void) {
    this.#call = call;
    return { cancel: () => (this.#call = undefined) };
  }

  fireAfter(ms: number): void {
    this.#passedMs += ms;
    this.#call?.();
  }
}
