import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LiveViewing, StandbyMode } from '#delivery';
import type { ViewerSink } from '#relay';
import type { SharingMode } from '#streams';
import { startSimulation } from '../../support/simulated-delivery.ts';
import type { Condition } from '../../support/simulated-sources.ts';
import { streamInput, VIEWER } from '../../support/stream-bench.ts';
import { settle } from '../../support/test-clock.ts';

const MINUTE_MS = 60_000;
const STALL_MS = 3000;
const URLS = ['http://a/', 'http://b/', 'http://c/'] as const;

type Step = { readonly source: number; readonly condition: Condition; readonly forMs: number };
type Plan = {
  readonly sources: number;
  readonly viewers: number;
  readonly standby: StandbyMode;
  readonly sharing: SharingMode;
  readonly failbackAfterMs: number;
  readonly steps: readonly Step[];
};

const conditions: readonly Condition[] = ['good', 'refuses', 'forbids', 'hangs', 'stalls', 'ends'];
const step = fc.record({
  source: fc.nat(2),
  condition: fc.constantFrom(...conditions),
  forMs: fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 40_000 })),
});
const plan = (over: Partial<Record<keyof Plan, fc.Arbitrary<unknown>>> = {}) =>
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
  lastMs = 0;
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  write(_parts: readonly Buffer[], flushed?: () => void): void {
    this.lastMs = this.#nowMs();
    flushed?.();
  }
}

/** Viewers with a picture, on feeds of their own, over sources that do as they are told. */
async function startWorld(a: Plan) {
  const { sources: count, viewers, standby, sharing, failbackAfterMs } = a;
  const { registry, clock, state, sources, live } = await startSimulation({
    standby,
    stallMs: STALL_MS,
    failbackAfterMs,
    outageLimitMs: 0,
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

type World = Awaited<ReturnType<typeof startWorld>>;

async function carryOut({ sources: count, steps }: Plan, { sources, clock }: World) {
  for (const { source, condition, forMs } of steps) {
    sources.set(URLS[source % count] ?? '', condition);
    await clock.advance(forMs);
  }
}

const feedsOf = ({ viewers, sharing }: Plan): number => (sharing === 'shared' ? 1 : viewers);

/** Runs one plan in a world of its own. */
async function inWorld(a: Plan, check: (world: World) => Promise<void>): Promise<void> {
  const world = await startWorld(a);
  try {
    await check(world);
  } finally {
    await world.close();
  }
}

const runs = { numRuns: 40 };

describe('whatever befalls the sources of a live stream that is watched', () => {
  it('its picture does not end, and plays again soon after any source is good', async () => {
    await fc.assert(
      fc.asyncProperty(plan(), fc.nat(2), (a, chosen) =>
        inWorld(a, async (world) => {
          await carryOut(a, world);
          world.sources.set(URLS[chosen % a.sources] ?? '', 'good');
          await world.clock.advance(MINUTE_MS);
          expect(world.ends).toEqual([]);
          for (const { lastMs } of world.sinks) {
            expect(world.clock.nowMs() - lastMs).toBeLessThanOrEqual(2 * STALL_MS + 5000);
          }
        }),
      ),
      runs,
    );
  }, 60_000);

  it('no source is asked without end: a few requests per viewer and second at most', async () => {
    const allBad = fc.constantFrom<Condition>('refuses', 'forbids', 'ends', 'hangs');
    await fc.assert(
      fc.asyncProperty(plan(), allBad, (a, condition) =>
        inWorld(a, async (world) => {
          await carryOut(a, world);
          for (const url of URLS) world.sources.set(url, condition);
          await world.clock.advance(MINUTE_MS);
          const fromMs = world.clock.nowMs() - MINUTE_MS;
          const late = world.sources.openings.filter(({ atMs }) => atMs >= fromMs);
          expect(late.length).toBeLessThanOrEqual(feedsOf(a) * 2 * 60);
        }),
      ),
      runs,
    );
  }, 60_000);

  it('a source that had to cool is tried by one at a time', async () => {
    await fc.assert(
      fc.asyncProperty(plan(), (a) =>
        inWorld(a, async (world) => {
          const tried = new Map<string, number>();
          let most = 0;
          const { book } = (world.stream as unknown as { cursor: { book: HealthBook } }).cursor;
          world.sources.opened = (url) => {
            expect(book.healthOf(url).state).not.toBe('open');
            if (book.healthOf(url).state !== 'half-open') return;
            tried.set(url, (tried.get(url) ?? 0) + 1);
            most = Math.max(most, tried.get(url) ?? 0);
          };
          world.sources.settled = (url) => tried.delete(url);
          await carryOut(a, world);
          await world.clock.advance(MINUTE_MS);
          expect(most).toBeLessThanOrEqual(1);
        }),
      ),
      runs,
    );
  }, 60_000);

  it('the primary is returned to only when that is asked for', async () => {
    const never = { failbackAfterMs: fc.constant(0) };
    await fc.assert(
      fc.asyncProperty(plan(never), (a) =>
        inWorld(a, async (world) => {
          await carryOut(a, world);
          for (const url of URLS) world.sources.set(url, 'good');
          await world.clock.advance(MINUTE_MS);
          const before = (await world.registry.get(world.id)).failoverAttempts;
          await world.clock.advance(MINUTE_MS);
          const after = await world.registry.get(world.id);
          expect(after.failoverAttempts).toBe(before);
          expect(after.switches.map(({ reason }) => reason)).not.toContain('failback');
        }),
      ),
      runs,
    );
  }, 60_000);

  it('the primary is returned to when that is asked for and it is good', async () => {
    const asked = { failbackAfterMs: fc.constant(5000), sources: fc.integer({ min: 2, max: 3 }) };
    await fc.assert(
      fc.asyncProperty(plan(asked), (a) =>
        inWorld(a, async (world) => {
          await carryOut(a, world);
          for (const url of URLS) world.sources.set(url, 'good');
          await world.clock.advance(2 * MINUTE_MS);
          expect(await world.registry.get(world.id)).toMatchObject({ failoverIndex: -1 });
        }),
      ),
      runs,
    );
  }, 60_000);

  it('each viewer has two connections at most, and with one source one', async () => {
    await fc.assert(
      fc.asyncProperty(plan(), (a) =>
        inWorld(a, async (world) => {
          let most = 0;
          world.sources.opened = () => {
            most = Math.max(most, world.sources.connected.length);
          };
          await carryOut(a, world);
          await world.clock.advance(MINUTE_MS);
          expect(most).toBeLessThanOrEqual(feedsOf(a) * (a.sources === 1 ? 1 : 2));
        }),
      ),
      runs,
    );
  }, 60_000);

  it('nothing is left behind when its viewers leave', async () => {
    await fc.assert(
      fc.asyncProperty(plan(), async (a) => {
        const world = await startWorld(a);
        await carryOut(a, world);
        await world.close();
        await settle();
        expect({ open: world.sources.connected, timers: world.clock.pendingTimers }).toEqual({
          open: [],
          timers: 0,
        });
      }),
      runs,
    );
  }, 60_000);
});

type HealthBook = { healthOf(url: string): { readonly state: string } };
