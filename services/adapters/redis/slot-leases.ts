import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { NodeEpoch } from '#kernel/ids';
import type { ConnectionUse, ProviderLimit, SlotAsk, SlotHolder } from '#upstream';
import type { SlotLease, SlotLeases } from '#upstream';
import type { ChangeFeed } from './change-feed.ts';
import { noteText } from './encode-change.ts';
import { keysOf } from './keys.ts';
import { holderOf, slotId } from './slot-id.ts';
import { RENAME_LUA, RENEW_LUA, TAKE_LUA } from './slot-scripts.ts';

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
  /** Tells other processes that somebody waits; without it they notice when they renew. */
  readonly changes?: ChangeFeed | undefined;
  /** How long a slot lasts that is not renewed. */
  readonly holdMs?: number;
};

type Held = {
  id: string;
  readonly limit: ProviderLimit;
  readonly lost: AbortController;
  readonly wanted: AbortController;
};

type Question = Pick<Held, 'id' | 'limit'>;

/**
 * Slots of provider accounts in Redis: a sorted set of who holds one and until when, and a queue of
 * those who wait. What is held is renewed for as long as its connection is open; what a dead process
 * held runs out.
 */
export class RedisSlotLeases implements SlotLeases {
  readonly #options: SlotLeasesOptions;
  readonly #held = new Set<Held>();
  readonly #listeners = new Set<(account: string) => void>();
  readonly #holdMs: number;
  readonly #renewing: NodeJS.Timeout;
  readonly #deaf: (() => void) | undefined;
  #asked = 0;

  constructor(options: SlotLeasesOptions) {
    this.#options = options;
    this.#holdMs = options.holdMs ?? HOLD_MS;
    this.#renewing = setInterval(() => void this.#renew(), this.#holdMs / RENEWALS).unref();
    this.#deaf = options.changes?.listen({ place: (digest) => this.#wanted(digest) });
  }

  async take(ask: SlotAsk, signal: AbortSignal): Promise<SlotLease> {
    const { limit, blocked } = ask;
    const question = { id: this.#newId(ask), limit };
    try {
      for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(LAST_LOOK_MS, pauseMs * 1.5)) {
        signal.throwIfAborted();
        const answer = await this.#asks(question, 'waits');
        if (answer === 1) return this.#lease(question);
        if (answer === -1) blocked?.();
        if (pauseMs === FIRST_LOOK_MS) this.#tellWaiting(limit);
        await delay(pauseMs, undefined, { signal });
      }
    } catch (error) {
      this.#giveBack(question);
      signal.throwIfAborted();
      throw error;
    }
  }

  async takeSpare(ask: SlotAsk): Promise<SlotLease | undefined> {
    const question = { id: this.#newId(ask), limit: ask.limit };
    return (await this.#asks(question, 'spare')) === 1 ? this.#lease(question) : undefined;
  }

  onWanted(listener: (account: string) => void): void {
    this.#listeners.add(listener);
  }

  async holders(limit: ProviderLimit): Promise<readonly SlotHolder[] | undefined> {
    const [held] = this.#keys(limit);
    const ids = await this.#options.redis.zrange(held, '0', '-1').catch(() => undefined);
    return ids?.map(holderOf);
  }

  /** What is held runs out. Idempotent. */
  close(): void {
    clearInterval(this.#renewing);
    this.#deaf?.();
    this.#listeners.clear();
  }

  #newId({ limit: { streamId = '' }, use }: SlotAsk): string {
    this.#asked += 1;
    const { node } = this.#options;
    return slotId({ node, use, streamId, sinceMs: Date.now() }, this.#asked);
  }

  /** Yes also while Redis is away: then there is nobody to ask. */
  async #asks(question: Question, manner: 'waits' | 'spare'): Promise<number> {
    try {
      return Number(await this.#run(TAKE_LUA, question, manner));
    } catch {
      return 1;
    }
  }

  #lease({ id, limit }: Question): SlotLease {
    const [lost, wanted] = [new AbortController(), new AbortController()];
    const held: Held = { id, limit, lost, wanted };
    this.#held.add(held);
    const release = (): void => {
      if (this.#held.delete(held)) this.#giveBack(held);
    };
    const keep = (use: ConnectionUse): void => this.#rename(held, use);
    return { lost: lost.signal, wanted: wanted.signal, keep, release };
  }

  #rename(held: Held, use: ConnectionUse): void {
    this.#asked += 1;
    const before = { ...held };
    held.id = slotId({ ...holderOf(held.id), use }, this.#asked);
    // Where it fails, the next renewal brings the new id, and the old one runs out.
    this.#run(RENAME_LUA, before, held.id).catch(() => {});
  }

  async #renew(): Promise<void> {
    await Promise.all([...this.#held].map((held) => this.#renewOne(held)));
  }

  async #renewOne(held: Held): Promise<void> {
    try {
      const waiting = Number(await this.#run(RENEW_LUA, held, ''));
      if (waiting > 0) this.#isWanted(held);
      if (waiting >= 0 || !this.#held.delete(held)) return;
      held.wanted.abort();
      held.lost.abort();
    } catch {
      // Redis is away: what runs goes on.
    }
  }

  #isWanted({ wanted, limit: { account } }: Held): void {
    wanted.abort();
    for (const listener of this.#listeners) listener(account);
  }

  #giveBack({ id, limit }: Question): void {
    const [held, waiting, seen] = this.#keys(limit);
    const commands = this.#options.redis.multi().zrem(held, id).zrem(waiting, id).zrem(seen, id);
    commands.exec().catch(() => {}); // It runs out by itself.
  }

  /** Here at once, elsewhere in a moment. */
  #tellWaiting({ account }: ProviderLimit): void {
    const { redis, prefix, node, changes } = this.#options;
    const digest = digestOf(account);
    this.#wanted(digest);
    if (!changes) return;
    const note = noteText({ kind: 'place', digest, from: node });
    redis.publish(keysOf(prefix).changes, note).catch(() => {}); // They notice when they renew.
  }

  #wanted(digest: string): void {
    const accounts = new Set([...this.#held].map(({ limit }) => limit.account));
    for (const account of accounts) {
      if (digestOf(account) !== digest) continue;
      for (const listener of this.#listeners) listener(account);
    }
  }

  #run(script: string, { id, limit }: Question, word: string): Promise<unknown> {
    const keys = this.#keys(limit);
    const { redis } = this.#options;
    return redis.eval(script, keys.length, ...keys, id, limit.maxOpen, this.#holdMs, word);
  }

  #keys({ account }: ProviderLimit): [held: string, waiting: string, seen: string] {
    const start = `${keysOf(this.#options.prefix).provider}{${digestOf(account)}}`;
    return [`${start}:held`, `${start}:waiting`, `${start}:seen`];
  }
}

/** Accounts hold user names: their digests are told to Redis. */
const digestOf = (account: string): string =>
  createHash('sha256').update(account).digest('base64url').slice(0, 22);
