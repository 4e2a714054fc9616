import type { DomainEvent, Fact, Metadata } from '#events';
import { newEventId } from '#kernel/ids';
import type { ClientId, NodeEpoch, SessionId, StreamId } from '#kernel/ids';
import type { Clock, Timer, Timers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';

export type LostViewer = {
  readonly sessionId: SessionId;
  readonly streamId: StreamId;
  readonly clientId: ClientId;
  readonly metadata: Metadata;
};

/** What housekeeping looks at and ends; safe to use by many workers at once. */
export interface HousekeepingStore {
  /** Epochs that may have viewers on record and whose process gives no sign of life now. */
  silentNodes(): Promise<readonly NodeEpoch[]>;
  viewersOf(node: NodeEpoch): Promise<readonly LostViewer[]>;
  /** Tells `left` if the viewer is on record, and `stopped` if it was the stream's last. */
  endViewer(
    viewer: LostViewer,
    told: { readonly left: DomainEvent; readonly stopped: DomainEvent },
  ): Promise<void>;
  forgetNode(node: NodeEpoch): Promise<void>;
  /** Some streams that were not used for `ttlMs` and are not watched. */
  expired(
    ttlMs: number,
  ): Promise<readonly { readonly id: StreamId; readonly metadata: Metadata }[]>;
  /** False when the stream was used meanwhile. Tells `stopped` if it was open. */
  expire(
    id: StreamId,
    told: { readonly ttlMs: number; readonly stopped: DomainEvent },
  ): Promise<boolean>;
}

export type HousekeepingOptions = {
  readonly store: HousekeepingStore;
  /** 0: streams do not expire. */
  readonly streamTtlMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
};

const INTERVAL_MS = 2_000;
/**
 * How long a node must stay silent while we look. After an outage of Redis every heartbeat has
 * expired, though every node lives: two beats fit into this.
 */
const SILENCE_MS = 4_000;

/** Ends what nobody else can: viewers of lost nodes, and streams that nobody uses. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #silentSinceMs = new Map<NodeEpoch, number>();
  #next: Timer | undefined;
  #turning: Promise<void>;
  #isTroubled = false;
  #isClosed = false;

  /** Starts at once. */
  constructor(options: HousekeepingOptions) {
    this.#options = options;
    this.#turning = this.#turn();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#next?.cancel();
    await this.#turning;
  }

  async #turn(): Promise<void> {
    try {
      await this.#endLostNodes();
      await this.#expireStreams();
      this.#isTroubled = false;
    } catch (error) {
      this.#silentSinceMs.clear(); // Nobody could be heard meanwhile.
      if (!this.#isTroubled) this.#options.logger.warn('housekeeping waits', { error });
      this.#isTroubled = true;
    }
    if (this.#isClosed) return;
    this.#next = this.#options.timers.after(INTERVAL_MS, () => {
      this.#turning = this.#turn();
    });
  }

  async #endLostNodes(): Promise<void> {
    const silent = await this.#options.store.silentNodes();
    for (const node of this.#lostAmong(silent)) {
      await this.#endNode(node);
      this.#silentSinceMs.delete(node);
    }
  }

  #lostAmong(silent: readonly NodeEpoch[]): readonly NodeEpoch[] {
    const nowMs = this.#options.clock.monotonicMs();
    const known = new Set(silent);
    for (const node of this.#silentSinceMs.keys()) {
      if (!known.has(node)) this.#silentSinceMs.delete(node);
    }
    for (const node of silent) {
      if (!this.#silentSinceMs.has(node)) this.#silentSinceMs.set(node, nowMs);
    }
    return silent.filter((node) => nowMs - (this.#silentSinceMs.get(node) ?? nowMs) >= SILENCE_MS);
  }

  async #endNode(node: NodeEpoch): Promise<void> {
    const { store, logger } = this.#options;
    const viewers = await store.viewersOf(node);
    if (viewers.length > 0) logger.warn('node lost', { node, viewers: viewers.length });
    for (const viewer of viewers) {
      const left = this.#tell(viewer.streamId, viewer.metadata, leftFact(viewer.clientId));
      const stopped = this.#tell(viewer.streamId, viewer.metadata, stoppedFact('node_lost'));
      await store.endViewer(viewer, { left, stopped });
    }
    await store.forgetNode(node);
  }

  async #expireStreams(): Promise<void> {
    const { store, streamTtlMs: ttlMs, logger } = this.#options;
    if (ttlMs === 0) return;
    for (const { id, metadata } of await store.expired(ttlMs)) {
      const stopped = this.#tell(id, metadata, stoppedFact('inactive_timeout'));
      if (await store.expire(id, { ttlMs, stopped })) logger.info('stream expired', { id });
    }
  }

  #tell(streamId: StreamId, metadata: Metadata, fact: Fact): DomainEvent {
    const atMs = this.#options.clock.nowMs();
    return { eventId: newEventId(), streamId, atMs, metadata, fact };
  }
}

const leftFact = (clientId: ClientId): Fact => ({
  type: 'client_disconnected',
  clientId,
  connectionId: null,
  bytesServed: 0,
  segmentsServed: 0,
  reason: 'node_lost',
});

const stoppedFact = (reason: 'node_lost' | 'inactive_timeout'): Fact => ({
  type: 'stream_stopped',
  reason,
  bytesServed: 0,
});
