import type { Redis } from 'ioredis';
import type { DomainEvent, EventFeed, LoggedEvent, LogPosition } from '#events';
import type { Logger } from '#kernel/logger';
import { keysOf } from './keys.ts';
import type { Keys } from './keys.ts';
import { inStore } from './store-errors.ts';

export type EventFeedOptions = {
  /** A connection for `commands`; stays the caller's. */
  readonly redis: Redis;
  /** A connection for `blocking`, used for nothing else; stays the caller's. */
  readonly reader: Redis;
  readonly prefix: string;
  /** Names this worker. */
  readonly worker: string;
  readonly logger: Logger;
};

const SEAT_MS = 5_000;
const START: LogPosition = '0-0';

/** KEYS: dispatcher. ARGV: worker, life in ms. 1 when the seat is ours. */
const CLAIM_LUA = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`;

/** KEYS: dispatcher, dispatched. ARGV: worker, position. Only who has the seat moves on. */
const CONFIRM_LUA = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2])
return 1
`;

const RELEASE_LUA = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`;

export class RedisEventFeed implements EventFeed {
  readonly #options: EventFeedOptions;
  readonly #keys: Keys;
  /** Known while the seat is ours: nobody else moves it then. */
  #position: LogPosition | undefined;

  constructor(options: EventFeedOptions) {
    this.#options = options;
    this.#keys = keysOf(options.prefix);
  }

  async claim(): Promise<boolean> {
    const { redis, worker } = this.#options;
    const isOurs = await inStore(() =>
      redis.eval(CLAIM_LUA, 1, this.#keys.dispatcher, worker, SEAT_MS),
    );
    if (isOurs !== 1) this.#position = undefined;
    else if (this.#position === undefined) await this.#takeUp();
    return isOurs === 1;
  }

  async read({
    limit,
    waitMs,
  }: {
    readonly limit: number;
    readonly waitMs: number;
  }): Promise<readonly LoggedEvent[]> {
    const { reader } = this.#options;
    const reply = await inStore(() =>
      reader.xread(
        ...(['COUNT', limit, 'BLOCK', waitMs, 'STREAMS'] as const),
        ...([this.#keys.events, this.#position ?? START] as const),
      ),
    );
    const entries = reply?.[0]?.[1] ?? [];
    return entries.map(([position, fields]) => ({ position, event: this.#parse(fields[1]) }));
  }

  async confirm(position: LogPosition): Promise<boolean> {
    const { redis, worker } = this.#options;
    const { dispatcher, dispatched } = this.#keys;
    const isDone = await inStore(() =>
      redis.eval(CONFIRM_LUA, 2, dispatcher, dispatched, worker, position),
    );
    this.#position = isDone === 1 ? position : undefined;
    return isDone === 1;
  }

  async release(): Promise<void> {
    const { redis, worker } = this.#options;
    this.#position = undefined;
    // Away or not, the seat falls free by itself.
    await redis.eval(RELEASE_LUA, 1, this.#keys.dispatcher, worker).catch(() => 0);
  }

  async #takeUp(): Promise<void> {
    const { redis, logger } = this.#options;
    const position = await inStore(() => redis.get(this.#keys.dispatched));
    this.#position = position ?? START;
    const [oldest] = await inStore(() => redis.xrange(this.#keys.events, '-', '+', 'COUNT', 1));
    if (oldest && position !== null && isBefore(position, oldest[0])) {
      logger.error('the event log has been cut before all of it was delivered');
    }
  }

  #parse(text: string | undefined): DomainEvent | undefined {
    try {
      return JSON.parse(text ?? '') as DomainEvent;
    } catch {
      this.#options.logger.error('event unreadable');
      return undefined;
    }
  }
}

/** Positions are `milliseconds-sequence`. */
function isBefore(a: LogPosition, b: LogPosition): boolean {
  const [aMs = 0, aSequence = 0] = a.split('-').map(Number);
  const [bMs = 0, bSequence = 0] = b.split('-').map(Number);
  return aMs < bMs || (aMs === bMs && aSequence < bSequence);
}
