import type { Redis } from 'ioredis';
import { systemTimers } from '#kernel/clock';
import type { Timer, Timers } from '#kernel/clock';
import type { NodeEpoch } from '#kernel/ids';
import { keysOf } from './keys.ts';

export type HeartbeatOptions = {
  /** A connection for `commands`; stays the caller's. */
  readonly redis: Redis;
  readonly prefix: string;
  readonly epoch: NodeEpoch;
  readonly timers?: Timers;
};

const BEAT_MS = 2_000;
/** How long a node is believed to live after its last beat. */
const HEARTBEAT_LIFE_MS = 6_000;

/**
 * Says that this api process lives, from construction to `close()`. When the beats end,
 * housekeeping ends the viewers that this process has on record.
 */
export class NodeHeartbeat {
  readonly #options: HeartbeatOptions;
  readonly #timers: Timers;
  #next: Timer | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
    void this.#beat();
  }

  /** The last beat is taken back: what is still on record here is ended soon. Never rejects. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #beat(): Promise<void> {
    const { redis, prefix, epoch } = this.#options;
    const keys = keysOf(prefix);
    try {
      const beat = redis.multi().set(keys.node + epoch, '1', 'PX', HEARTBEAT_LIFE_MS);
      await beat.sadd(keys.nodes, epoch).exec();
    } catch {
      // The connection logs that Redis is away; the next beat tells that we live.
    }
    if (this.#closing) return;
    this.#next = this.#timers.after(BEAT_MS, () => void this.#beat(), { background: true });
  }

  async #close(): Promise<void> {
    this.#next?.cancel();
    const { redis, prefix, epoch } = this.#options;
    // Away or not, the key expires by itself.
    await redis.del(keysOf(prefix).node + epoch).catch(() => 0);
  }
}
