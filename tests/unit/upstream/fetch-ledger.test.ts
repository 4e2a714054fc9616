import { describe, expect, it } from 'vitest';
import { FetchLedger, headersWithin, headersWithout, limitOf } from '#upstream';
import type { FetchPermit, SlotLease, SlotLeases } from '#upstream';
import { TestClock } from '../../support/test-clock.ts';

const alive = new AbortController().signal;
const asked = (account: string, maxOpen = 1) => ({
  headers: headersWithin({ account, maxOpen }, { 'User-Agent': 'x' }),
});

function start(leases?: SlotLeases) {
  const clock = new TestClock();
  const ledger = new FetchLedger({ timers: clock, leases });
  const order: string[] = [];
  /** Asks for a place, and notes when it is given. */
  const ask = (name: string, request = asked('a'), signal = alive): Promise<FetchPermit> =>
    ledger.demand(request, signal).then((permit) => {
      order.push(name);
      return permit;
    });
  return { clock, ledger, ask, order };
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

describe('FetchLedger', () => {
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
    const free = { headers: { 'User-Agent': 'x' } };
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

  it('has a slot of all processes for each place, and gives both back', async () => {
    const held = new Set<string>();
    const lose = new AbortController();
    const lease = (name: string): SlotLease => {
      held.add(name);
      const release = (): void => void held.delete(name);
      return { lost: lose.signal, wanted: alive, release };
    };
    const leases: SlotLeases = {
      take: async ({ account }) => lease(account),
      takeSpare: async () => undefined,
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

  it('gives the place back when there is no slot', async () => {
    const leases: SlotLeases = {
      take: async () => {
        throw new Error('none');
      },
      takeSpare: async () => undefined,
    };
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
