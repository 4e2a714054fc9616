import { describe, expect, it } from 'vitest';
import type { ListedResource } from '#hls';
import { LookAhead } from '../../../services/delivery/hls/segment-answers/look-ahead.ts';
import type {
  AheadOutcome,
  AheadStream,
} from '../../../services/delivery/hls/segment-answers/look-ahead.ts';
import { TestClock, settle } from '../../support/test-clock.ts';

const IDLE_MS = 5_000;
const segment = (n: number) => ({ url: `${n}`, durationMs: 1_000, isGap: false });
const segments = Array.from({ length: 100 }, (_, n) => segment(n));
const unending = new AbortController().signal;

type Fetching = {
  readonly url: string;
  readonly signal: AbortSignal;
  readonly ends: (outcome: AheadOutcome) => Promise<void>;
};

function start() {
  const clock = new TestClock();
  const fetched: Fetching[] = [];
  const at = { hasPlace: true, firstListed: 0 };
  const stream: AheadStream = {
    idleMs: IDLE_MS,
    count: 3,
    has: () => false,
    place(source: string, { url }: ListedResource) {
      const index = Number(url);
      if (source !== 'a' || index < at.firstListed) return undefined;
      return { track: 'v', source, segments, index, isEnded: false };
    },
    permit: async () =>
      at.hasPlace
        ? { lost: unending, revoked: unending, release: () => {}, keep: () => {} }
        : undefined,
    fetch({ resource: { url } }, _permit, signal) {
      const { promise, resolve } = Promise.withResolvers<AheadOutcome>();
      const ends = async (outcome: AheadOutcome): Promise<void> => {
        resolve(outcome);
        await settle();
      };
      fetched.push({ url, signal, ends });
      signal.addEventListener('abort', () => resolve('useless'));
      return promise;
    },
  };
  const ahead = new LookAhead({ stream, clock, timers: clock });
  const demand = async (viewer: string, n: number): Promise<void> => {
    ahead.demanded(viewer, 'a', segment(n));
    ahead.go();
    await settle();
  };
  const urls = (): number[] => fetched.map(({ url }) => Number(url));
  const end = (outcome: AheadOutcome = 'fetched') => fetched.at(-1)?.ends(outcome);
  return { clock, at, ahead, fetched, demand, urls, end };
}

describe('look-ahead', () => {
  it('begins with the viewer that asked last, and forgets none', async () => {
    const { ahead, demand, urls, end } = start();
    const done = ahead.waits();
    await demand('one', 0);
    await demand('two', 50);
    done();
    for (let n = 0; n < 6; n += 1) {
      await settle();
      await end();
    }
    expect(urls()).toEqual([51, 52, 53, 1, 2, 3]);
  });

  it('fetches nothing while a viewer waits for the source', async () => {
    const { ahead, demand, urls } = start();
    const [first, second] = [ahead.waits(), ahead.waits()];
    await demand('one', 0);
    first();
    first();
    await settle();
    expect(urls()).toEqual([]);
    second();
    await settle();
    expect(urls()).toEqual([1]);
  });

  it('fetches one at a time, each once', async () => {
    const { demand, urls, end } = start();
    await demand('one', 0);
    await demand('two', 0);
    expect(urls()).toEqual([1]);
    for (let n = 0; n < 3; n += 1) await end();
    await demand('three', 0);
    expect(urls()).toEqual([1, 2, 3]);
  });

  it('stops when its viewers have stopped', async () => {
    const { clock, demand, urls, end } = start();
    await demand('one', 0);
    await clock.advance(IDLE_MS + 1);
    await end();
    expect(urls()).toEqual([1]);
  });

  it('gives up what nobody comes to any more, and not what a viewer has come to', async () => {
    const { demand, fetched, urls } = start();
    await demand('one', 0);
    await demand('one', 1);
    expect(fetched[0]?.signal.aborted).toBe(false);
    await demand('one', 60);
    await settle();
    expect(fetched[0]?.signal.aborted).toBe(true);
    expect(urls()).toEqual([1, 61]);
  });

  it('leaves a source alone that is overloaded, for ten seconds', async () => {
    const { clock, demand, urls, end } = start();
    await demand('one', 0);
    await end('busy');
    await clock.advance(4_000);
    await demand('one', 0);
    await clock.advance(4_000);
    await demand('one', 0);
    expect(urls()).toEqual([1]);
    await clock.advance(2_000);
    expect(urls()).toEqual([1, 2]);
  });

  it('asks again where there was no place at the provider', async () => {
    const { clock, at, demand, urls } = start();
    at.hasPlace = false;
    await demand('one', 0);
    at.hasPlace = true;
    await clock.advance(1_000);
    expect(urls()).toEqual([1]);
  });

  it('takes a name for another segment that has left the list in between', async () => {
    const { ahead, at, demand, urls, end } = start();
    await demand('one', 0);
    for (let n = 0; n < 3; n += 1) await end();
    ahead.listed('a');
    await demand('one', 0);
    expect(urls()).toEqual([1, 2, 3]);
    at.firstListed = 10;
    ahead.listed('a');
    at.firstListed = 0;
    await demand('one', 0);
    expect(urls()).toEqual([1, 2, 3, 1]);
  });

  it('ends with the stream', async () => {
    const { ahead, demand, fetched, urls } = start();
    await demand('one', 0);
    ahead.close();
    await settle();
    await demand('one', 5);
    expect(fetched[0]?.signal.aborted).toBe(true);
    expect(urls()).toEqual([1]);
  });
});
