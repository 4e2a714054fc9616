import { describe, expect, it } from 'vitest';
import type { MediaFacts } from '#streams';
import { MediaWatch } from '../../../services/delivery/live/media-watch.ts';
import { samplesOf } from '../../support/source-story.ts';
import { TestClock, settle } from '../../support/test-clock.ts';

const FACTS: MediaFacts = { container: 'MPEGTS', videoCodec: 'h264' };
const PART = Buffer.alloc(188 * 500, 0x47);

type Options = {
  readonly bytesPerLook?: number;
  readonly keyframeEveryMs?: number;
  readonly isKnown?: boolean;
  readonly found?: MediaFacts;
};

/** A source that is watched; it sends ten times a second. */
class Bench {
  readonly clock = new TestClock();
  readonly samples: Buffer[] = [];
  readonly told: (MediaFacts | undefined)[] = [];
  open = 0;
  isFree = true;
  claims = 0;
  readonly watch: MediaWatch;
  readonly #options: Options;

  constructor(options: Options = {}) {
    this.#options = options;
    this.watch = new MediaWatch({
      clock: this.clock,
      probe: { open: () => this.#inspection() },
      claim: () => {
        this.claims += 1;
        if (options.isKnown) return undefined;
        return { told: (facts) => this.told.push(facts), close: () => {} };
      },
    });
  }

  async plays(forMs: number): Promise<void> {
    const { bytesPerLook = PART.length, keyframeEveryMs = 1000 } = this.#options;
    const [sample] = samplesOf([{ ms: 250 }]);
    for (let ms = 0; ms < forMs; ms += 100) {
      const nowMs = this.clock.monotonicMs();
      this.watch.take([PART.subarray(0, bytesPerLook)], () => ({
        ...sample!.facts,
        program: { pmtPid: 4096 },
        pcr27m: nowMs * 27_000,
        keyframes: Math.floor(nowMs / keyframeEveryMs),
      }));
      await this.clock.advance(100);
    }
    await settle();
  }

  #inspection() {
    if (!this.isFree) return undefined;
    this.open += 1;
    let isOpen = true;
    return {
      inspect: async (sample: Buffer) => {
        this.samples.push(sample);
        return 'found' in this.#options ? this.#options.found : FACTS;
      },
      close: () => {
        if (isOpen) this.open -= 1;
        isOpen = false;
      },
    };
  }
}

describe('the media of a live source', () => {
  it('is looked at once, from two keyframes on', async () => {
    const bench = new Bench();
    await bench.plays(60_000);
    expect(bench.samples).toHaveLength(1);
    expect(bench.samples[0]?.length).toBeGreaterThan(10 * PART.length);
    expect(bench.told).toEqual([{ ...FACTS, bitrateKbps: 7520 }]);
    expect(bench.open).toBe(0);
  });

  it('is not looked at for who zaps past', async () => {
    const bench = new Bench();
    await bench.plays(1_900);
    bench.watch.stop();
    expect({ claims: bench.claims, open: bench.open }).toEqual({ claims: 0, open: 0 });
  });

  it('is left alone where it is known', async () => {
    const bench = new Bench({ isKnown: true });
    await bench.plays(10_000);
    expect({ claims: bench.claims, open: bench.open }).toEqual({ claims: 1, open: 0 });
  });

  it('waits while too many others are looked at', async () => {
    const bench = new Bench();
    bench.isFree = false;
    await bench.plays(9_000);
    expect(bench.claims).toBe(0);
    bench.isFree = true;
    await bench.plays(10_000);
    expect(bench.told).toHaveLength(1);
  });

  it('is looked at without a keyframe at last, in at most 4 MiB', async () => {
    const bench = new Bench({ keyframeEveryMs: Infinity });
    await bench.plays(20_000);
    expect(bench.samples).toHaveLength(1);
    expect(bench.samples[0]?.length).toBeLessThanOrEqual(4 * 1024 * 1024);
  });

  it('may turn out to be nothing that is known', async () => {
    const bench = new Bench({ found: undefined as unknown as MediaFacts });
    await bench.plays(10_000);
    expect(bench.told).toEqual([undefined]);
  });

  it('is nobody’s when the source is left', async () => {
    const bench = new Bench();
    await bench.plays(2_500);
    expect(bench.open).toBe(1);
    bench.watch.stop();
    bench.watch.stop();
    await bench.plays(10_000);
    expect({ open: bench.open, told: bench.told, samples: bench.samples }).toEqual({
      open: 0,
      told: [],
      samples: [],
    });
  });
});
