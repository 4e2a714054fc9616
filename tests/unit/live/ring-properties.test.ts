import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MINUTE_MS,
  STALL_MS,
  URLS,
  carryOut,
  feedsOf,
  inWorld,
  plan,
  runs,
  startWorld,
} from '../../support/ring-world.ts';
import type { Condition } from '../../support/simulated-sources.ts';
import { settle } from '../../support/test-clock.ts';

/** How long a simulated source may hang. */
const HEAD_TIMEOUT_MS = 2000;

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

  it('nobody is without a picture for long while one source is good, however short an outage may be', async () => {
    const limited = {
      outageLimitMs: fc.constant(1000),
      sources: fc.integer({ min: 2, max: 3 }),
    };
    await fc.assert(
      fc.asyncProperty(plan(limited), fc.nat(2), (a, chosen) => {
        const good = chosen % a.sources;
        const steps = a.steps.filter(({ source }) => source % a.sources !== good);
        return inWorld(a, async (world) => {
          await carryOut({ ...a, steps }, world);
          await world.clock.advance(10_000);
          expect(world.ends).toEqual([]);
          for (const { lastMs, longestMs } of world.sinks) {
            const silentMs = Math.max(longestMs, world.clock.nowMs() - lastMs);
            expect(silentMs).toBeLessThanOrEqual(STALL_MS + 2 * HEAD_TIMEOUT_MS + 1000);
          }
        });
      }),
      runs,
    );
  }, 60_000);

  it('a source that is good for short spells is asked ever more rarely', async () => {
    const spells = fc.array(fc.integer({ min: 100, max: 9000 }), { minLength: 1, maxLength: 5 });
    const two = {
      sources: fc.constant(2),
      viewers: fc.constant(1),
      failbackAfterMs: fc.constant(0),
    };
    await fc.assert(
      fc.asyncProperty(plan(two), spells, (a, spellsMs) =>
        inWorld(a, async ({ sources, clock, ends }) => {
          const fromMs = clock.nowMs();
          for (let n = 0; clock.nowMs() - fromMs < 10 * MINUTE_MS; n += 1) {
            await clock.advance(spellsMs[n % spellsMs.length] ?? 1000);
            sources.set(URLS[0], 'ends');
            sources.set(URLS[0], 'good');
          }
          const asked = sources.openings.filter(({ url }) => url === URLS[0]);
          expect(asked.length).toBeLessThanOrEqual(25);
          expect(ends).toEqual([]);
        }),
      ),
      { numRuns: 20 },
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
