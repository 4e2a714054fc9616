import type { Redis } from 'ioredis';
import type { DomainEvent, Metadata } from '#events';
import type { ClientId, NodeEpoch, SessionId, StreamId } from '#kernel/ids';
import type { StreamDefinition } from '#streams';
import { noteText } from './encode-change.ts';
import { END_VIEWER_LUA, EXPIRED_LUA, EXPIRE_LUA } from './housekeeping-scripts.ts';
import { keysOf, presenceKeysOf } from './keys.ts';
import { pairsOf } from './pairs.ts';
import { inStore } from './store-errors.ts';

export type HousekeepingStoreOptions = {
  /** A connection for `commands`; stays the caller's. */
  readonly redis: Redis;
  readonly prefix: string;
  readonly eventLogMax: number;
};

/** A viewer as `viewer-joined` put it on record. */
export type RecordedViewer = {
  readonly sessionId: SessionId;
  readonly streamId: StreamId;
  readonly clientId: ClientId;
  readonly metadata: Metadata;
};

/** A stream that nobody used for its time to live. */
export type ExpiredStream = { readonly id: StreamId; readonly metadata: Metadata };

const SCAN_COUNT = 1_000;
/** Streams forgotten per turn. */
const EXPIRE_LIMIT = 100;

/**
 * What housekeeping finds and ends. Any number of workers may do so at once: each ending is
 * guarded, so it happens once and its events are told once.
 */
export class RedisHousekeepingStore {
  readonly #redis: Redis;
  readonly #keys: ReturnType<typeof keysOf> & ReturnType<typeof presenceKeysOf>;
  readonly #eventLogMax: number;

  constructor({ redis, prefix, eventLogMax }: HousekeepingStoreOptions) {
    this.#redis = redis;
    this.#keys = { ...keysOf(prefix), ...presenceKeysOf(prefix) };
    this.#eventLogMax = eventLogMax;
  }

  async silentNodes(): Promise<readonly NodeEpoch[]> {
    const nodes = (await inStore(() => this.#redis.smembers(this.#keys.nodes))) as NodeEpoch[];
    if (nodes.length === 0) return [];
    const beats = await inStore(() =>
      this.#redis.mget(nodes.map((node) => this.#keys.node + node)),
    );
    return nodes.filter((_, at) => beats[at] === null);
  }

  async viewersOf(node: NodeEpoch): Promise<readonly RecordedViewer[]> {
    const found: RecordedViewer[] = [];
    let cursor = '0';
    do {
      const [next, flat] = await inStore(() =>
        this.#redis.hscan(this.#keys.viewers, cursor, 'COUNT', SCAN_COUNT),
      );
      found.push(...viewersIn(flat, node));
      cursor = next;
    } while (cursor !== '0');
    return found;
  }

  /** Tells `left`; and `stopped`, when that was the last viewer of an open stream. */
  async endViewer(
    { sessionId, streamId }: RecordedViewer,
    told: { readonly left: DomainEvent; readonly stopped: DomainEvent },
  ): Promise<void> {
    const { viewers, open, events, touched, present, counts, switches, watching } = this.#keys;
    const keys = [viewers, open, events, touched, present, counts, switches];
    const texts = [told.left, told.stopped].map((event) => JSON.stringify(event));
    const values = [watching, sessionId, streamId, ...texts];
    await inStore(() =>
      this.#redis.eval(END_VIEWER_LUA, keys.length, ...keys, ...values, this.#eventLogMax),
    );
  }

  async forgetNode(node: NodeEpoch): Promise<void> {
    await inStore(() => this.#redis.srem(this.#keys.nodes, node));
  }

  /** Up to a hundred streams that were not used for `ttlMs` and are not watched. */
  async expired(ttlMs: number): Promise<readonly ExpiredStream[]> {
    const { touched, streams, watching } = this.#keys;
    const flat = await inStore(() =>
      this.#redis.eval(EXPIRED_LUA, 2, touched, streams, watching, ttlMs, EXPIRE_LIMIT),
    );
    return pairsOf(flat as string[]).map(([id, text]) => ({
      id: id as StreamId,
      metadata: text === '' ? {} : (JSON.parse(text) as StreamDefinition).metadata,
    }));
  }

  /** Forgets the stream unless it was used meanwhile; tells `stopped` when it was open. */
  async expire(
    id: StreamId,
    told: { readonly ttlMs: number; readonly stopped: DomainEvent },
  ): Promise<boolean> {
    const { touched, streams, open, events, switches, watching, changes } = this.#keys;
    const keys = [touched, streams, open, events, switches, watching + id];
    const note = noteText({ kind: 'stream', id, from: 'housekeeping' });
    const values = [id, told.ttlMs, JSON.stringify(told.stopped), this.#eventLogMax, changes, note];
    const done = await inStore(() => this.#redis.eval(EXPIRE_LUA, keys.length, ...keys, ...values));
    return done === 1;
  }
}

function viewersIn(flat: readonly string[], node: NodeEpoch): RecordedViewer[] {
  return pairsOf(flat)
    .map(([sessionId, text]) => ({ sessionId: sessionId as SessionId, ...parse(text) }))
    .filter((viewer) => viewer.node === node);
}

type ViewerRecord = Omit<RecordedViewer, 'sessionId'> & { readonly node: NodeEpoch };

const parse = (text: string): ViewerRecord => JSON.parse(text) as ViewerRecord;
