import type { Redis } from 'ioredis';
import { systemTimers } from '#kernel/clock';
import type { Timer, Timers } from '#kernel/clock';
import type { StreamId } from '#kernel/ids';
import type { Logger } from '#kernel/logger';
import type { StreamDefinition, StreamStore } from '#streams';
import type { ChangeFeed } from './change-feed.ts';
import { keysOf } from './keys.ts';
import type { Keys } from './keys.ts';
import { pairsOf } from './pairs.ts';
import { inStore } from './store-errors.ts';

export type StreamStoreOptions = {
  /** A connection for `commands`; stays the caller's. */
  readonly redis: Redis;
  readonly prefix: string;
  readonly changes: ChangeFeed;
  readonly logger: Logger;
  readonly timers?: Timers;
};

const TOUCH_INTERVAL_MS = 1_000;
const SCAN_COUNT = 1_000;

/** Only streams that exist are touched, by Redis' own clock, as the journal does. */
const TOUCH_LUA = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, id in ipairs(ARGV) do redis.call('ZADD', KEYS[1], 'XX', now, id) end
return 1
`;

export class RedisStreamStore implements StreamStore {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #changes: ChangeFeed;
  readonly #logger: Logger;
  readonly #timers: Timers;
  readonly #known = new Set<StreamId>();
  #touched = new Set<StreamId>();
  #flushing: Timer | undefined;
  #isClosed = false;

  constructor(options: StreamStoreOptions) {
    this.#redis = options.redis;
    this.#keys = keysOf(options.prefix);
    this.#changes = options.changes;
    this.#logger = options.logger;
    this.#timers = options.timers ?? systemTimers;
  }

  async loadAll(): Promise<readonly StreamDefinition[]> {
    await this.#changes.subscribed();
    const byId = new Map<string, StreamDefinition>();
    for await (const page of this.#pages()) {
      for (const [id, text] of page) {
        const definition = this.#parse(text);
        if (definition) byId.set(id, definition);
      }
    }
    for (const { id } of byId.values()) this.#known.add(id);
    return [...byId.values()];
  }

  async find(id: StreamId): Promise<StreamDefinition | undefined> {
    const text = await inStore(() => this.#redis.hget(this.#keys.streams, id));
    if (text === null) {
      this.#known.delete(id);
      return undefined;
    }
    this.#known.add(id);
    return this.#parse(text);
  }

  touch(ids: readonly StreamId[]): void {
    if (this.#isClosed) return;
    for (const id of ids) this.#touched.add(id);
    this.#flushLater();
  }

  onChange(listener: (id: StreamId) => void): void {
    this.#changes.listen({
      stream: (id) => {
        this.#known.add(id);
        listener(id);
      },
      gap: () => void this.#tellAll(listener),
    });
  }

  /** Writes the last touches. Idempotent, never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#flushing?.cancel();
    await this.#flush();
  }

  async *#pages(): AsyncGenerator<readonly [string, string][]> {
    let cursor = '0';
    do {
      const [next, flat] = await inStore(() =>
        this.#redis.hscan(this.#keys.streams, cursor, 'COUNT', SCAN_COUNT),
      );
      yield pairsOf(flat);
      cursor = next;
    } while (cursor !== '0');
  }

  /** After a gap in the feed: whatever was there and whatever is there may have changed. */
  async #tellAll(listener: (id: StreamId) => void): Promise<void> {
    try {
      const ids = (await this.#redis.hkeys(this.#keys.streams)) as StreamId[];
      for (const id of new Set([...this.#known, ...ids])) listener(id);
    } catch (error) {
      this.#logger.debug('looking for missed changes failed', { error });
      // The connection broke again, so another gap is on its way.
    }
  }

  #flushLater(): void {
    if (this.#flushing || this.#isClosed || this.#touched.size === 0) return;
    this.#flushing = this.#timers.after(TOUCH_INTERVAL_MS, () => void this.#flush(), {
      background: true,
    });
  }

  async #flush(): Promise<void> {
    const ids = this.#touched;
    this.#touched = new Set();
    try {
      if (ids.size > 0) await this.#redis.eval(TOUCH_LUA, 1, this.#keys.touched, ...ids);
    } catch {
      for (const id of ids) this.#touched.add(id); // Kept for the next turn; a set stays small.
    }
    this.#flushing = undefined;
    this.#flushLater();
  }

  #parse(text: string): StreamDefinition | undefined {
    try {
      const definition = JSON.parse(text) as StreamDefinition;
      if (definition.v === 1) return definition;
    } catch {
      // Told below, with those of an unknown version.
    }
    this.#logger.error('stream definition unreadable');
    return undefined;
  }
}
