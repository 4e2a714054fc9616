import type { Redis } from 'ioredis';
import type { TranscodeWorker, WorkerBoard } from '#transcode';
import { keysOf } from './keys.ts';
import { inStore } from './store-errors.ts';

/** A worker that has not told of itself for so long is gone. */
const EXPIRY_MS = 6_000;
const REPEAT_MS = 2_000;

/** Who transcodes, as the workers say themselves. */
export function redisWorkerBoard(redis: Redis, prefix: string): WorkerBoard {
  const { transcoder, transcoders } = keysOf(prefix);
  return {
    async list() {
      return inStore(async () => {
        const ids = await redis.smembers(transcoders);
        if (ids.length === 0) return [];
        const texts = await redis.mget(...ids.map((id) => transcoder + id));
        const lost = ids.filter((_id, index) => texts[index] === null);
        if (lost.length > 0) await redis.srem(transcoders, ...lost);
        return texts.flatMap((text) =>
          typeof text === 'string' ? [JSON.parse(text) as TranscodeWorker] : [],
        );
      });
    },
  };
}

export type WorkerCardOptions = {
  readonly redis: Redis;
  readonly prefix: string;
  readonly about: () => TranscodeWorker;
};

/** One worker's own entry: written at once, again every two seconds, and when something changes. */
export class WorkerCard {
  readonly #options: WorkerCardOptions;
  readonly #beat: NodeJS.Timeout;

  constructor(options: WorkerCardOptions) {
    this.#options = options;
    this.#beat = setInterval(() => this.changed(), REPEAT_MS).unref();
    this.changed();
  }

  /** Never throws: while the store is away nobody can ask either. */
  changed(): void {
    const { redis, prefix, about } = this.#options;
    const { transcoder, transcoders } = keysOf(prefix);
    const worker = about();
    const text = JSON.stringify(worker);
    redis
      .multi()
      .set(transcoder + worker.id, text, 'PX', EXPIRY_MS)
      .sadd(transcoders, worker.id)
      .exec()
      .catch(() => {});
  }

  /** Takes it back. Never rejects. */
  async close(): Promise<void> {
    clearInterval(this.#beat);
    const { redis, prefix, about } = this.#options;
    const { transcoder, transcoders } = keysOf(prefix);
    const { id } = about();
    await redis
      .multi()
      .del(transcoder + id)
      .srem(transcoders, id)
      .exec()
      .catch(() => {});
  }
}
