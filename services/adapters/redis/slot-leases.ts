import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { NodeEpoch } from '#kernel/ids';
import type { ProviderLimit, SlotLease, SlotLeases } from '#upstream';
import { keysOf } from './keys.ts';
import { RENEW_LUA, TAKE_LUA } from './slot-scripts.ts';

/** A process that has not renewed its slots for so long is gone. */
const HOLD_MS = 5_000;
/** So often a slot is renewed while it lasts once. */
const RENEWALS = 10;
const FIRST_LOOK_MS = 20;
const LAST_LOOK_MS = 200;

export type SlotLeasesOptions = {
  readonly redis: Redis;
  readonly prefix: string;
  /** Of this process's life: what an earlier one held is another's. */
  readonly node: NodeEpoch;
  /** How long a slot lasts that is not renewed. */
  readonly holdMs?: number;
};

type Held = {
  readonly id: string;
  readonly limit: ProviderLimit;
  readonly lost: AbortController;
  readonly wanted: AbortController;
};

/**
 * Slots of provider accounts in Redis: a sorted set of who holds one and until when, and a queue of
 * those who wait. What is held is renewed for as long as its connection is open; what a dead process
 * held runs out.
 */
export class RedisSlotLeases implements SlotLeases {
  readonly #options: SlotLeasesOptions;
  readonly #held = new Map<string, Held>();
  readonly #holdMs: number;
  readonly #renewing: NodeJS.Timeout;
  #asked = 0;

  constructor(options: SlotLeasesOptions) {
    this.#options = options;
    this.#holdMs = options.holdMs ?? HOLD_MS;
    this.#renewing = setInterval(() => void this.#renew(), this.#holdMs / RENEWALS).unref();
  }

  async take(limit: ProviderLimit, signal: AbortSignal): Promise<SlotLease> {
    const id = this.#newId();
    try {
      for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(LAST_LOOK_MS, pauseMs * 1.5)) {
        signal.throwIfAborted();
        if (await this.#asks(id, limit, 'waits')) return this.#lease(id, limit);
        await delay(pauseMs, undefined, { signal });
      }
    } catch (error) {
      this.#giveBack(id, limit);
      signal.throwIfAborted();
      throw error;
    }
  }

  async takeSpare(limit: ProviderLimit): Promise<SlotLease | undefined> {
    const id = this.#newId();
    return (await this.#asks(id, limit, 'spare')) ? this.#lease(id, limit) : undefined;
  }

  /** What is held runs out. Idempotent. */
  close(): void {
    clearInterval(this.#renewing);
  }

  #newId(): string {
    this.#asked += 1;
    return `${this.#options.node}:${this.#asked}`;
  }

  /** Yes also while Redis is away: then there is nobody to ask. */
  async #asks(id: string, limit: ProviderLimit, manner: 'waits' | 'spare'): Promise<boolean> {
    try {
      return (await this.#run(TAKE_LUA, { id, limit }, manner)) === 1;
    } catch {
      return true;
    }
  }

  #lease(id: string, limit: ProviderLimit): SlotLease {
    const [lost, wanted] = [new AbortController(), new AbortController()];
    this.#held.set(id, { id, limit, lost, wanted });
    const release = (): void => {
      if (this.#held.delete(id)) this.#giveBack(id, limit);
    };
    return { lost: lost.signal, wanted: wanted.signal, release };
  }

  async #renew(): Promise<void> {
    await Promise.all([...this.#held.values()].map((held) => this.#renewOne(held)));
  }

  async #renewOne(held: Held): Promise<void> {
    try {
      const waiting = Number(await this.#run(RENEW_LUA, held, ''));
      if (waiting > 0) held.wanted.abort();
      if (waiting >= 0 || !this.#held.delete(held.id)) return;
      held.wanted.abort();
      held.lost.abort();
    } catch {
      // Redis is away: what runs goes on.
    }
  }

  #giveBack(id: string, limit: ProviderLimit): void {
    const [held, waiting, seen] = this.#keys(limit);
    const commands = this.#options.redis.multi().zrem(held, id).zrem(waiting, id).zrem(seen, id);
    commands.exec().catch(() => {}); // It runs out by itself.
  }

  #run(
    script: string,
    { id, limit }: Pick<Held, 'id' | 'limit'>,
    manner: string,
  ): Promise<unknown> {
    const keys = this.#keys(limit);
    const { redis } = this.#options;
    return redis.eval(script, keys.length, ...keys, id, limit.maxOpen, this.#holdMs, manner);
  }

  /** Accounts hold user names: their digests are told to Redis. */
  #keys({ account }: ProviderLimit): [held: string, waiting: string, seen: string] {
    const digest = createHash('sha256').update(account).digest('base64url').slice(0, 22);
    const start = `${keysOf(this.#options.prefix).provider}{${digest}}`;
    return [`${start}:held`, `${start}:waiting`, `${start}:seen`];
  }
}
