import type { DomainEvent, EventFeed, LoggedEvent } from '#events';
import { sleep } from '#kernel/clock';
import type { Clock, Timers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import { planDeliveries } from '#webhooks';
import type { DeliveryMeter, DeliveryQueues, Endpoint, EndpointStore } from '#webhooks';

export type EventDispatcherOptions = {
  readonly feed: EventFeed;
  readonly queues: DeliveryQueues;
  readonly endpoints: EndpointStore;
  /** Hears of deliveries that were dropped; nobody, when absent. */
  readonly meter?: DeliveryMeter;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
};

const BATCH = 200;
const READ_WAIT_MS = 1_000;
/** How often a worker without the seat looks whether it is free. */
const STANDBY_MS = 500;
/** Between two turns that fail. */
const TROUBLE_MS = 500;
/** A claim older than this is made anew before anything is queued; the seat's life is 5 s. */
const CLAIM_FRESH_MS = 3_000;

/**
 * Brings every event into the queue of every endpoint that wants it, in the order of the log.
 *
 * One worker at a time does so. What it has queued when it dies before it could confirm, the next
 * one queues again, which the queues do not take twice.
 */
export class EventDispatcher {
  readonly #options: EventDispatcherOptions;
  readonly #closed = new AbortController();
  readonly #running: Promise<void>;
  #isSeated = false;
  #isTroubled = false;

  /** Starts at once. */
  constructor(options: EventDispatcherOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Finishes the batch that is under way and gives the seat up. Idempotent. */
  async close(): Promise<void> {
    this.#closed.abort(new Error('closing'));
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closed.signal.aborted) {
      const restMs = await this.#attempt();
      if (restMs > 0) await this.#rest(restMs);
    }
    if (this.#isSeated) await this.#options.feed.release();
  }

  /** How long to rest after this turn. */
  async #attempt(): Promise<number> {
    try {
      const restMs = await this.#turn();
      this.#isTroubled = false;
      return restMs;
    } catch (error) {
      if (this.#closed.signal.aborted) return 0;
      if (!this.#isTroubled) this.#options.logger.warn('event dispatch waits', { error });
      this.#isTroubled = true;
      return TROUBLE_MS;
    }
  }

  async #turn(): Promise<number> {
    const { feed, clock } = this.#options;
    const claimedAtMs = clock.monotonicMs();
    if (!(await this.#takeSeat())) return STANDBY_MS;
    const entries = await feed.read({ limit: BATCH, waitMs: READ_WAIT_MS });
    if (clock.monotonicMs() - claimedAtMs > CLAIM_FRESH_MS) return 0;
    await this.#dispatch(entries);
    return 0;
  }

  async #takeSeat(): Promise<boolean> {
    const isNew = !this.#isSeated;
    this.#isSeated = await this.#options.feed.claim();
    if (this.#isSeated && isNew) await this.#options.queues.forget();
    return this.#isSeated;
  }

  async #dispatch(entries: readonly LoggedEvent[]): Promise<void> {
    const { feed } = this.#options;
    // Read after the events: an endpoint that was there before an event happened hears of it.
    const endpoints = await this.#options.endpoints.list();
    await this.#dropOrphans(endpoints);
    await this.#enqueue(
      entries.flatMap(({ event }) => event ?? []),
      endpoints,
    );
    const last = entries.at(-1);
    if (last) await feed.confirm(last.position);
  }

  /** Only who fills queues drops them, so that nothing new goes down with the old. */
  async #dropOrphans(endpoints: readonly Endpoint[]): Promise<void> {
    const { queues } = this.#options;
    const alive = new Set(endpoints.map(({ id }) => id));
    const orphans = (await queues.list()).filter((id) => !alive.has(id));
    for (const id of orphans) await queues.drop(id);
  }

  async #enqueue(events: readonly DomainEvent[], endpoints: readonly Endpoint[]): Promise<void> {
    const { queues, logger, meter } = this.#options;
    for (const [endpointId, deliveries] of planDeliveries(events, endpoints)) {
      const dropped = await queues.enqueue(endpointId, deliveries);
      if (dropped === 0) continue;
      meter?.delivery('dropped', dropped);
      logger.error('webhook deliveries dropped', { endpointId, dropped });
    }
  }

  #rest(delayMs: number): Promise<void> {
    return sleep(this.#options.timers, delayMs, this.#closed.signal).catch(() => {});
  }
}
