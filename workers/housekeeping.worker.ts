import type { DomainEvent, Fact, Metadata } from '#events';
import { newEventId } from '#kernel/ids';
import type { ClientId, NodeEpoch, SessionId, StreamId } from '#kernel/ids';
import type { Clock, Timers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import { Rounds } from '#kernel/rounds';
import { Silences } from '#kernel/silences';

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
  readonly #silences = new Silences<NodeEpoch>();
  readonly #rounds: Rounds;

  /** Starts at once. */
  constructor(options: HousekeepingOptions) {
    this.#options = options;
    this.#rounds = new Rounds({
      timers: options.timers,
      intervalMs: INTERVAL_MS,
      round: () => this.#round(),
      failed: (error, isNew) => this.#failed(error, isNew),
    });
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#rounds.close();
  }

  async #round(): Promise<void> {
    await this.#endLostNodes();
    await this.#expireStreams();
  }

  #failed(error: unknown, isNew: boolean): void {
    this.#silences.clear(); // Nobody could be heard meanwhile.
    if (isNew) this.#options.logger.warn('housekeeping waits', { error });
  }

  async #endLostNodes(): Promise<void> {
    const { store, clock } = this.#options;
    const silent = this.#silences.look(await store.silentNodes(), clock.monotonicMs());
    for (const [node, silentMs] of silent) {
      if (silentMs < SILENCE_MS) continue;
      await this.#endNode(node);
      this.#silences.forget(node);
    }
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
