import { describe, expect, it } from 'vitest';
import { ConnectionLedger, headersWithin, headersWithout, limitOf } from '#upstream';
import type {
  ConnectionPermit,
  ConnectionRequest,
  ConnectionUse,
  SlotLease,
  SlotLeases,
} from '#upstream';
import { TestClock } from '../../support/test-clock.ts';

const alive = new AbortController().signal;
const asked = (account: string, maxOpen = 1, use: ConnectionUse = 'segment') => ({
  use,
  headers: headersWithin({ account, maxOpen }, { 'User-Agent': 'x' }),
});

function start(leases?: SlotLeases) {
  const clock = new TestClock();
  const ledger = new ConnectionLedger({ timers: clock, leases });
  const order: string[] = [];
  /** Asks for a place, and notes when it is given. */
  const ask = (
    name: string,
    request: ConnectionRequest = asked('a'),
    signal = alive,
  ): Promise<ConnectionPermit> =>
    ledger.demand(request, signal).then((permit) => {
      order.push(name);
      return permit;
    });
  return { clock, ledger, ask, order };
}

const noLeases: SlotLeases = {
  take: async () => {
    throw new Error('none');
  },
  takeSpare: async () => undefined,
  onWanted: () => {},
  holders: async () => undefined,
};

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

describe('ConnectionLedger', () => {
  it('gives as many places as the account has, in the order of asking', async () => {
    const { ask, order } = start();
    const first = await ask('1');
    const [second, third] = [ask('2'), ask('3')];
    await settled();
    expect(order).toEqual(['1']);
    first.release();
    first.release();
    (await second).release();
    (await third).release();
    expect(order).toEqual(['1', '2', '3']);
  });

  it('keeps accounts apart, and counts nothing where there is no limit', async () => {
    const { ask, ledger, order } = start();
    await ask('1');
    await ask('2', asked('b'));
    expect(order).toEqual(['1', '2']);
    const free = { use: 'live' as const, headers: { 'User-Agent': 'x' } };
    await Promise.all([ledger.demand(free, alive), ledger.demand(free, alive)]);
  });

  it('takes the place of what is fetched ahead, and gives none ahead while somebody waits', async () => {
    const { ask, ledger, order } = start();
    const ahead = await ledger.ahead(asked('a'));
    expect(await ledger.ahead(asked('a'))).toBeUndefined();
    const viewer = ask('viewer');
    await settled();
    expect([ahead?.revoked.aborted, ahead?.lost.aborted, order]).toEqual([true, false, []]);
    ahead?.release();
    expect(await ledger.ahead(asked('a'))).toBeUndefined();
    (await viewer).release();
    expect(await ledger.ahead(asked('a'))).toBeDefined();
  });

  it('lets go of who leaves while waiting', async () => {
    const { ask, order } = start();
    const first = await ask('1');
    const leaving = new AbortController();
    const second = ask('2', asked('a'), leaving.signal);
    const third = ask('3');
    leaving.abort(new Error('left'));
    await expect(second).rejects.toThrow('left');
    first.release();
    await third;
    expect(order).toEqual(['1', '3']);
  });

  it('says after half a minute that all are in use, and bounds its queue', async () => {
    const { ask, clock } = start();
    await ask('1');
    const many = Array.from({ length: 1001 }, (_, n) => ask(`${n}`).catch((error) => error.code));
    expect(await many[1000]).toBe('PROVIDER_AT_CAPACITY');
    await clock.advance(30_000);
    expect(new Set(await Promise.all(many))).toEqual(new Set(['PROVIDER_AT_CAPACITY']));
  });

  it.each([
    ['what lasts waits for what is being closed', 'live', 'live', undefined, 800],
    ['what lasts waits no longer behind what is brief', 'segment', 'live', undefined, 800],
    ['what is brief behind what lasts knows that it is no use', 'live', 'segment', undefined, 800],
    ['what is brief waits for its turn', 'playlist', 'segment', undefined, 30_000],
    ['who says how long it can wait waits so long', 'live', 'segment', 100, 100],
    ['also for longer', 'live', 'network', 10_000, 10_000],
  ] as const)('%s', async (_name, held, use, patienceMs, waitsMs) => {
    const { ask, clock } = start();
    await ask('1', asked('a', 1, held));
    const failure = ask('2', { ...asked('a', 1, use), patienceMs }).catch((error) => error.code);
    await clock.advance(waitsMs - 1);
    expect(await Promise.race([failure, settled()])).toBeUndefined();
    await clock.advance(1);
    expect(await failure).toBe('PROVIDER_AT_CAPACITY');
  });

  it('takes no place from what has come to serve viewers', async () => {
    const { ask, ledger, clock } = start();
    const standby = await ledger.ahead(asked('a', 1, 'standby'));
    expect(ledger.held()).toMatchObject([{ account: 'a', use: 'standby' }]);
    standby?.keep();
    const viewer = ask('viewer', asked('a', 1, 'live')).catch((error) => error.code);
    await clock.advance(800);
    expect([await viewer, standby?.revoked.aborted]).toEqual(['PROVIDER_AT_CAPACITY', false]);
    expect(ledger.held()).toMatchObject([{ account: 'a', use: 'live' }]);
    standby?.release();
    expect(ledger.held()).toEqual([]);
  });

  it('tells who has a place of no use that somebody waits, also when it listens late', async () => {
    const { ask, ledger } = start();
    const { headers } = asked('a');
    const told: string[] = [];
    const stop = ledger.onWanted(headers, () => told.push('early'));
    const first = await ask('1');
    const second = ask('2');
    ledger.onWanted(headers, () => told.push('late'));
    stop();
    await settled();
    expect(told).toEqual(['early', 'late']);
    first.release();
    (await second).release();
  });

  it('knows whether there is room, and that a place given back is as good', async () => {
    const { ask, ledger } = start();
    const [{ headers }, other] = [asked('a'), asked('b')];
    expect(ledger.hasRoom(headers)).toBe(true);
    await ask('1');
    expect(ledger.hasRoom(headers)).toBe(false);
    expect(ledger.hasRoom(headers, other.headers)).toBe(false);
    expect(ledger.hasRoom(headers, headers)).toBe(true);
    expect(ledger.hasRoom({ 'User-Agent': 'x' })).toBe(true);
  });

  it('has a slot of all processes for each place, and gives both back', async () => {
    const held = new Set<string>();
    const lose = new AbortController();
    const lease = (name: string): SlotLease => {
      held.add(name);
      const release = (): void => void held.delete(name);
      return { lost: lose.signal, wanted: alive, keep: () => {}, release };
    };
    const leases: SlotLeases = {
      ...noLeases,
      take: async ({ limit }) => lease(limit.account),
    };
    const { ask, ledger } = start(leases);
    expect(await ledger.ahead(asked('a'))).toBeUndefined();
    const permit = await ask('1');
    expect([...held]).toEqual(['a']);
    lose.abort();
    expect(permit.lost.aborted).toBe(true);
    permit.release();
    expect(held.size).toBe(0);
    await ask('2');
  });

  it('lets nobody wait in turn for a slot that another process holds for long', async () => {
    const leases: SlotLeases = {
      ...noLeases,
      take: ({ blocked }, signal) =>
        new Promise((_resolve, reject) => {
          blocked?.();
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        }),
    };
    const { ask, clock } = start(leases);
    const waiting = [1, 2, 3].map((n) => ask(`${n}`).catch((error) => error.code));
    const late = settled().then(() => ask('late').catch((error) => error.code));
    await settled();
    await clock.advance(800);
    expect(await Promise.race([Promise.all(waiting), settled()])).toEqual(
      waiting.map(() => 'PROVIDER_AT_CAPACITY'),
    );
    await clock.advance(800);
    expect(await late).toBe('PROVIDER_AT_CAPACITY');
  });

  it('gives the place back when there is no slot', async () => {
    const leases = noLeases;
    const { ask } = start(leases);
    await expect(ask('1')).rejects.toThrow('none');
    await expect(ask('2')).rejects.toThrow('none');
  });
});

describe('headers', () => {
  it('know their limit, and so do their copies; nothing of it is seen', () => {
    const { headers } = asked('secret');
    const limit = { account: 'secret', maxOpen: 1 };
    expect(limitOf({ ...headers, Range: 'bytes=0-' })).toEqual(limit);
    expect(limitOf(headersWithout(headers, () => true))).toEqual(limit);
    expect(JSON.stringify(headers)).not.toContain('secret');
    expect(limitOf({})).toBeUndefined();
  });
});
