import { describe, expect, it } from 'vitest';
import { DependencyError } from '#kernel/app-error';
import { systemTimers } from '#kernel/clock';
import { Networks } from '#networks';
import type { Network, NetworkId, NetworkStore } from '#networks';
import { ID, startRequest } from './network-of.ts';

/** A store in memory, and a worker that does at once what `work` makes of a record. */
function underTest(work: (network: Network) => Partial<Network>) {
  const records = new Map<NetworkId, Network>();
  const state = { isAway: false };
  const listeners = new Set<(id: NetworkId) => void>();
  const guard = (): void => {
    if (state.isAway) throw new DependencyError('STORE_UNAVAILABLE', { message: 'Away.' });
  };
  const store: NetworkStore = {
    find: async (id) => {
      guard();
      return records.get(id);
    },
    list: async () => ({ networks: [...records.values()], nowMs: 1_000 }),
    change: async (id, change) => {
      guard();
      const next = change(records.get(id), 1_000);
      if (next !== undefined) records.set(id, next);
      return next;
    },
    remove: async (id) => void records.delete(id),
    removeUnchanged: async () => true,
  };
  const removed: string[] = [];
  const networks = new Networks({
    store,
    notes: {
      listen: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    queue: {
      ask: async ({ id }) => {
        const network = records.get(id);
        if (network) records.set(id, { ...network, ...work(network) });
        for (const listener of listeners) listener(id);
      },
      tell: async () => {},
    },
    files: {
      readText: async () => undefined,
      remove: async (folder) => void removed.push(folder),
    },
    limits: { mostFailures: 3, windowMs: 300_000, cooldownMs: 15_000 },
    timers: systemTimers,
  });
  return { networks, state, removed, listeners };
}

describe('a start', () => {
  it('answers when the network runs', async () => {
    const { networks, listeners } = underTest(() => ({ state: 'running', pid: 7 }));
    expect(await networks.start(startRequest())).toMatchObject({ state: 'running', pid: 7 });
    expect(listeners.size).toBe(0);
  });

  it.each([
    [{ state: 'failed', error: 'no media' }, 'NETWORK_START_FAILED'],
    [{ state: 'stopping', order: 'stop' }, 'NETWORK_STOPPED'],
  ] as const)('that comes to %j is %s', async (outcome, code) => {
    const { networks } = underTest(() => outcome);
    await expect(networks.start(startRequest())).rejects.toMatchObject({ code });
  });

  it('that has failed three times has to wait', async () => {
    const { networks } = underTest(() => ({ state: 'failed', failedAtMs: [900, 950, 999] }));
    await expect(networks.start(startRequest())).rejects.toMatchObject({
      code: 'NETWORK_START_FAILED',
    });
    await expect(networks.start(startRequest())).rejects.toMatchObject({
      code: 'NETWORK_START_THROTTLED',
      details: { retryAfterSeconds: 15 },
    });
  });
});

it('while the store is away, files of what was started here are still found', async () => {
  const { networks, state } = underTest(() => ({ state: 'running', pid: 7 }));
  await networks.start(startRequest());
  state.isAway = true;
  expect(await networks.folderOf(ID)).toBe('/data/broadcast_net1');
});

it('a removal takes the folder that the network was in, and the usual ones', async () => {
  const { networks, removed } = underTest(() => ({ state: 'running', pid: 7 }));
  await networks.start(startRequest({ folder: '/data/elsewhere' }));
  expect(await networks.remove(ID, ['/data/broadcast_net1'])).toBe(true);
  expect(removed).toEqual(['/data/broadcast_net1', '/data/elsewhere']);
  await expect(networks.stop(ID)).rejects.toMatchObject({ code: 'NETWORK_NOT_FOUND' });
  expect(await networks.remove(ID, [])).toBe(false);
});
