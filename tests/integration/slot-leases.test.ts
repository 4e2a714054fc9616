import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisSlotLeases } from '#adapters/redis/slot-leases';
import type { NodeEpoch } from '#kernel/ids';
import type { ProviderLimit, SlotLease } from '#upstream';
import { eventually } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';
import type { TestRedis } from '../support/redis.ts';

const alive = new AbortController().signal;
const HOLD_MS = 800;
let server: TestRedis;
let accounts = 0;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server[Symbol.asyncDispose]());

async function leasesOf(node: string): Promise<RedisSlotLeases> {
  const redis = await server.connect();
  return new RedisSlotLeases({ redis, prefix: 'test', node: node as NodeEpoch, holdMs: HOLD_MS });
}

/** Two processes, and an account that they share. */
async function start(maxOpen = 1) {
  accounts += 1;
  const limit: ProviderLimit = { account: `panel.example user-${accounts}`, maxOpen };
  const [one, other] = [await leasesOf('one'), await leasesOf('other')];
  return {
    ask: { limit, use: 'segment' } as const,
    spare: { limit, use: 'ahead' } as const,
    one,
    other,
    [Symbol.dispose]() {
      one.close();
      other.close();
    },
  };
}

describe('slots of an account that two processes share', () => {
  it('are never more than the account has, whoever asks, and everybody has a turn', async () => {
    using shared = await start(2);
    let open = 0;
    let most = 0;
    const use = async (leases: RedisSlotLeases): Promise<void> => {
      const lease = await leases.take(shared.ask, alive);
      most = Math.max(most, (open += 1));
      await new Promise((resolve) => setTimeout(resolve, 2));
      open -= 1;
      lease.release();
    };
    const asking = Array.from({ length: 24 }, (_, n) => use(n % 2 ? shared.one : shared.other));
    await Promise.all(asking);
    expect(most).toBe(2);
  });

  it('are given in the order of asking', async () => {
    using shared = await start();
    const first = await shared.one.take(shared.ask, alive);
    const order: string[] = [];
    const named = (name: string) => (lease: SlotLease) => {
      order.push(name);
      lease.release();
    };
    const second = shared.other.take(shared.ask, alive).then(named('other'));
    await waitingFor(shared, 1);
    const third = shared.one.take(shared.ask, alive).then(named('one'));
    await waitingFor(shared, 2);
    first.release();
    await Promise.all([second, third]);
    expect(order).toEqual(['other', 'one']);
  });

  it('are taken from what is fetched ahead in the other process', async () => {
    using shared = await start();
    const ahead = await shared.one.takeSpare(shared.spare);
    expect(await shared.other.takeSpare(shared.spare)).toBeUndefined();
    ahead?.wanted.addEventListener('abort', () => ahead.release());
    (await shared.other.take(shared.ask, alive)).release();
    expect([ahead?.wanted.aborted, ahead?.lost.aborted]).toEqual([true, false]);
  });

  it('run out with the process that held them, and not while it lives', async () => {
    using shared = await start();
    const lease = await shared.one.take(shared.ask, alive);
    const waiting = shared.other.take(shared.ask, AbortSignal.timeout(15_000));
    // Longer than a slot lasts that is not renewed.
    await expect(
      shared.other.take(shared.ask, AbortSignal.timeout(HOLD_MS * 2)),
    ).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(lease.lost.aborted).toBe(false);
    shared.one.close();
    (await waiting).release();
  });

  it('are lost when the store has given them away meanwhile', async () => {
    using shared = await start();
    const lease = await shared.one.take(shared.ask, alive);
    const redis = await server.connect();
    const [key = ''] = await keysOfHolders(redis, 'one|');
    const holders = await redis.zrange(key, '0', '-1');
    await redis.zrem(key, ...holders);
    await redis.zadd(key, Date.now() + 60_000, 'another|1|live||0');
    await eventually('the slot is lost', () => lease.lost.aborted);
    expect(await shared.one.takeSpare(shared.spare)).toBeUndefined();
  });

  it('name no account in the store', async () => {
    using shared = await start();
    await shared.one.take(shared.ask, alive);
    const redis = await server.connect();
    const names = await redis.keys('*');
    expect(names.length).toBeGreaterThan(0);
    expect(names.join(' ')).not.toMatch(/panel|user-/);
  });
});

type Shared = Awaited<ReturnType<typeof start>>;

const keysOfHolders = async (redis: Awaited<ReturnType<TestRedis['connect']>>, node: string) => {
  const keys = await redis.keys('test:provider:*:held');
  const held = await Promise.all(
    keys.map(async (key) => [key, await redis.zrange(key, '0', '-1')]),
  );
  return held.filter(([, ids]) => String(ids).includes(node)).map(([key]) => String(key));
};

async function waitingFor(_shared: Shared, count: number): Promise<void> {
  const redis = await server.connect();
  await eventually(`${count} wait`, async () => {
    const keys = await redis.keys('test:provider:*:waiting');
    const sizes = await Promise.all(keys.map((key) => redis.zcard(key)));
    return sizes.some((size) => size === count);
  });
}

it('are given by each process alone while the store is away', async () => {
  await using away = await startRedis();
  const redis = await away.connect();
  const leases = new RedisSlotLeases({ redis, prefix: 'test', node: 'one' as NodeEpoch });
  await away.kill();
  const limit = { account: 'a', maxOpen: 1 };
  const lease = await leases.take({ limit, use: 'live' }, alive);
  expect(lease.lost.aborted).toBe(false);
  lease.release();
  leases.close();
});
