import type { Redis } from 'ioredis';
import { DependencyError } from '#kernel/app-error';
import type { Network, NetworkChange, NetworkId, NetworkNotes, NetworkStore } from '#networks';
import type { ChangeFeed } from './change-feed.ts';
import { noteText } from './encode-change.ts';
import { keysOf, networksKey } from './keys.ts';
import { inStore } from './store-errors.ts';

const READ_LUA = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return { redis.call('HGET', KEYS[1], ARGV[1]) or '', now }
`;

/** Writes where the record is still what it was; tells of it where there is something to tell. */
const SWAP_LUA = `
local there = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if there ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
if ARGV[5] ~= '' then redis.call('PUBLISH', ARGV[4], ARGV[5]) end
return 1
`;

const REMOVE_LUA = `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
`;

const LIST_LUA = `
local time = redis.call('TIME')
return { time[1] * 1000 + math.floor(time[2] / 1000), redis.call('HVALS', KEYS[1]) }
`;

/** An app, a worker and housekeeping may meet at one record; nobody loses so often. */
const MOST_TRIES = 50;

/** Networks in one hash, changed by comparing and swapping: all rules are in the changes. */
export class RedisNetworkStore implements NetworkStore {
  readonly #redis: Redis;
  readonly #networks: string;
  readonly #changes: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#networks = networksKey(prefix);
    this.#changes = keysOf(prefix).changes;
  }

  async find(id: NetworkId): Promise<Network | undefined> {
    const text = await inStore(() => this.#redis.hget(this.#networks, id));
    return text === null ? undefined : parse(text);
  }

  async list(): Promise<{ readonly networks: readonly Network[]; readonly nowMs: number }> {
    const reply = await inStore(() => this.#redis.eval(LIST_LUA, 1, this.#networks));
    const [nowMs, texts] = reply as [number, string[]];
    return { networks: texts.map(parse), nowMs };
  }

  async change(id: NetworkId, change: NetworkChange): Promise<Network | undefined> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const [before, nowMs] = await this.#read(id);
      const current = before === '' ? undefined : parse(before);
      const next = change(current, nowMs);
      if (next === undefined) return undefined;
      if (await this.#swap(id, before, { current, next })) return next;
    }
    throw new DependencyError('STORE_UNAVAILABLE', { message: 'The record changes too often.' });
  }

  async remove(id: NetworkId): Promise<void> {
    const note = noteText({ kind: 'network', id });
    await inStore(() =>
      this.#redis.multi().hdel(this.#networks, id).publish(this.#changes, note).exec(),
    );
  }

  async removeUnchanged(network: Network): Promise<boolean> {
    const reply = await inStore(() =>
      this.#redis.eval(REMOVE_LUA, 1, this.#networks, network.id, JSON.stringify(network)),
    );
    return reply === 1;
  }

  async #read(id: NetworkId): Promise<[string, number]> {
    const reply = await inStore(() => this.#redis.eval(READ_LUA, 1, this.#networks, id));
    return reply as [string, number];
  }

  async #swap(
    id: NetworkId,
    before: string,
    { current, next }: { readonly current: Network | undefined; readonly next: Network },
  ): Promise<boolean> {
    const note = isTold(current, next) ? noteText({ kind: 'network', id }) : '';
    const values = [id, before, JSON.stringify(next), this.#changes, note];
    const reply = await inStore(() => this.#redis.eval(SWAP_LUA, 1, this.#networks, ...values));
    return reply === 1;
  }
}

/** Who waits, waits for one of these. */
const isTold = (before: Network | undefined, after: Network): boolean =>
  before?.orderNumber !== after.orderNumber ||
  before.state !== after.state ||
  before.turn !== after.turn;

const parse = (text: string): Network => JSON.parse(text) as Network;

/** Changes of networks, as the other processes tell them. */
export const networkNotes = (feed: ChangeFeed): NetworkNotes => ({
  listen: (changed) => feed.listen({ network: changed }),
});
