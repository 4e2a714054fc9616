import type { Redis } from 'ioredis';
import type { StreamId } from '#kernel/ids';
import type { RunHolders } from '#transcode';
import { keysOf } from './keys.ts';
import { inStore } from './store-errors.ts';

/**
 * A process that has not renewed its hold for so long is gone. Less than the replacements of a run
 * take together, so that viewers elsewhere see one of them succeed.
 */
const HOLD_MS = 2_000;
const RENEW_MS = 500;

const TAKE_LUA = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return holder end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
`;

const RELEASE_LUA = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`;

/** What is held: the runs of streams, or the serving of their HLS. */
export type HeldPart = 'runs' | 'hlsOwners';

/** Holds in Redis that end with their process. */
export class RedisRunHolders implements RunHolders {
  readonly #redis: Redis;
  readonly #start: string;
  readonly #held = new Map<StreamId, string>();
  readonly #renewing: NodeJS.Timeout;

  constructor(redis: Redis, prefix: string, part: HeldPart = 'runs') {
    this.#redis = redis;
    this.#start = keysOf(prefix)[part];
    this.#renewing = setInterval(() => this.#renew(), RENEW_MS).unref();
  }

  async take(streamId: StreamId, apiUrl: string): Promise<string> {
    const holder = await inStore(() => this.#take(streamId, apiUrl));
    if (holder === apiUrl) this.#held.set(streamId, apiUrl);
    return String(holder);
  }

  release(streamId: StreamId, apiUrl: string): void {
    this.#held.delete(streamId);
    this.#redis.eval(RELEASE_LUA, 1, this.#key(streamId), apiUrl).catch(() => {});
  }

  /** Whether this process has it, as far as it has heard. */
  holds(streamId: StreamId): boolean {
    return this.#held.has(streamId);
  }

  /** Idempotent. What is held runs out. */
  close(): void {
    clearInterval(this.#renewing);
  }

  #renew(): void {
    for (const [id, url] of this.#held) void this.#renewOne(id, url);
  }

  async #renewOne(id: StreamId, url: string): Promise<void> {
    const holder = await this.#take(id, url).catch(() => url);
    // Another has taken it while this process or the store was away.
    if (holder !== url) this.#held.delete(id);
  }

  #take(streamId: StreamId, apiUrl: string): Promise<unknown> {
    return this.#redis.eval(TAKE_LUA, 1, this.#key(streamId), apiUrl, HOLD_MS);
  }

  #key(streamId: StreamId): string {
    return this.#start + streamId;
  }
}
