import fc from 'fast-check';
import type { LiveViewing, StandbyMode } from '#delivery';
import type { ViewerSink } from '#relay';
import type { SharingMode } from '#streams';
import { startSimulation } from './simulated-delivery.ts';
import type { Condition } from './simulated-sources.ts';
import { streamInput, VIEWER } from './stream-bench.ts';
import { settle } from './test-clock.ts';

export const MINUTE_MS = 60_000;
export const STALL_MS = 3000;
export const URLS = ['http://a/', 'http://b/', 'http://c/'] as const;

type Step = { readonly source: number; readonly condition: Condition; readonly forMs: number };
/** What befalls a stream that so many watch. */
export type Plan = {
  readonly sources: number;
  readonly viewers: number;
  readonly standby: StandbyMode;
  readonly sharing: SharingMode;
  readonly failbackAfterMs: number;
  /** None when absent. */
  readonly outageLimitMs?: number;
  readonly steps: readonly Step[];
};

const conditions: readonly Condition[] = ['good', 'refuses', 'forbids', 'hangs', 'stalls', 'ends'];
const step = fc.record({
  source: fc.nat(2),
  condition: fc.constantFrom(...conditions),
  forMs: fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 40_000 })),
});
export const plan = (over: Partial<Record<keyof Plan, fc.Arbitrary<unknown>>> = {}) =>
  fc.record({
    sources: fc.integer({ min: 1, max: 3 }),
    viewers: fc.integer({ min: 1, max: 3 }),
    standby: fc.constantFrom<StandbyMode>('cold', 'warm', 'hot'),
    sharing: fc.constantFrom<SharingMode>('per-client', 'shared'),
    failbackAfterMs: fc.constantFrom(0, 5000),
    steps: fc.array(step, { minLength: 1, maxLength: 25 }),
    ...over,
  }) as fc.Arbitrary<Plan>;

class CountingSink implements ViewerSink {
  readonly pendingBytes = 0;
  lastMs: number;
  /** The longest time from one byte to the next. */
  longestMs = 0;
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.lastMs = nowMs();
  }

  write(_parts: readonly Buffer[], flushed?: () => void): void {
    this.longestMs = Math.max(this.longestMs, this.#nowMs() - this.lastMs);
    this.lastMs = this.#nowMs();
    flushed?.();
  }
}

/** Viewers with a picture, on feeds of their own, over sources that do as they are told. */
export async function startWorld(a: Plan) {
  const { sources: count, viewers, standby, sharing, failbackAfterMs, outageLimitMs = 0 } = a;
  const { registry, clock, state, sources, live } = await startSimulation({
    standby,
    stallMs: STALL_MS,
    failbackAfterMs,
    outageLimitMs,
  });
  const [primary, ...failoverUrls] = URLS.slice(0, count);
  const { snapshot } = await registry.create(streamInput(primary ?? '', { failoverUrls, sharing }));
  const { id } = snapshot.definition;
  const stream = await registry.open(id);
  const gone = new AbortController();
  const sinks: CountingSink[] = [];
  const ends: string[] = [];
  for (let n = 0; n < viewers; n += 1) {
    const viewer = { ...VIEWER, userAgent: `viewer ${n}` };
    const watching = live.watch(stream, viewer, gone.signal);
    await clock.advance(20);
    const viewing = (await watching) as LiveViewing;
    const sink = new CountingSink(() => clock.nowMs());
    sinks.push(sink);
    void viewing.flow(sink, gone.signal).then((end) => ends.push(end));
  }
  const close = async (): Promise<void> => {
    gone.abort();
    await settle();
    registry.close();
  };
  return { registry, clock, state, sources, id, stream, sinks, ends, close };
}

export type World = Awaited<ReturnType<typeof startWorld>>;

export async function carryOut({ sources: count, steps }: Plan, { sources, clock }: World) {
  for (const { source, condition, forMs } of steps) {
    sources.set(URLS[source % count] ?? '', condition);
    await clock.advance(forMs);
  }
}

export const feedsOf = ({ viewers, sharing }: Plan): number => (sharing === 'shared' ? 1 : viewers);

/** Runs one plan in a world of its own. */
export async function inWorld(a: Plan, check: (world: World) => Promise<void>): Promise<void> {
  const world = await startWorld(a);
  try {
    await check(world);
  } finally {
    await world.close();
  }
}

export const runs = { numRuns: 40 };
