import { expect, it } from 'vitest';
import { silentLogger } from '#kernel/logger';
import type { Network, NetworkQueue, NetworkStore } from '#networks';
import { NetworkWatch } from '../../../workers/networks/network-watch.ts';
import { TestClock } from '../../support/test-clock.ts';
import { running } from './network-of.ts';

/** A store with one network, which may be away. */
function watched(network: Network) {
  const clock = new TestClock();
  const asked: number[] = [];
  const state = { network, isAway: false };
  const store = {
    list: async () => {
      if (state.isAway) throw new Error('away');
      return { networks: [state.network], nowMs: clock.nowMs() };
    },
  } as unknown as NetworkStore;
  const queue: NetworkQueue = {
    ask: async ({ epoch }) => void asked.push(epoch),
    tell: async () => {},
  };
  const watch = new NetworkWatch({ store, queue, clock, timers: clock, logger: silentLogger });
  return { clock, asked, state, watch };
}

const heldUntil = (untilMs: number): Network => running({ lease: { epoch: 3, untilMs } });

it('a worker that stays silent is replaced, one that lives is not', async () => {
  const { clock, asked, state, watch } = watched(heldUntil(1_700_000_001_000));
  await clock.advance(3_000);
  expect(asked).toEqual([]);
  await clock.advance(2_000);
  expect(asked[0]).toBe(3);
  state.network = heldUntil(clock.nowMs() + 60_000);
  asked.length = 0;
  await clock.advance(5_000);
  expect(asked).toEqual([]);
  await watch.close();
});

it('after an outage of the store workers have time to speak first', async () => {
  const { clock, asked, state, watch } = watched(heldUntil(1_700_000_002_000));
  await clock.advance(1_000);
  state.isAway = true;
  await clock.advance(60_000);
  state.isAway = false;
  await clock.advance(2_000);
  expect(asked).toEqual([]);
  state.network = heldUntil(clock.nowMs() + 60_000);
  await clock.advance(5_000);
  expect(asked).toEqual([]);
  await watch.close();
});

it('what a worker has let go of is asked for at once', async () => {
  const { clock, asked, watch } = watched(running({ lease: null }));
  await clock.advance(1);
  expect(asked).toEqual([3]);
  await watch.close();
});
