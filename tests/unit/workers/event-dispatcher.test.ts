import { describe, expect, it } from 'vitest';
import type { DomainEvent, EventFeed, LoggedEvent } from '#events';
import { DependencyError } from '#kernel/app-error';
import type { EndpointId } from '#kernel/ids';
import { silentLogger } from '#kernel/logger';
import type { Delivery, DeliveryQueues, Endpoint, EndpointStore } from '#webhooks';
import { EventDispatcher } from '../../../workers/event-dispatcher.ts';
import { FACTS, anEndpoint, anEvent } from '../../support/events.ts';
import { TestClock, settle } from '../../support/test-clock.ts';

const HOOK = anEndpoint('http://app.example/');

/** A log with a seat; reads that find nothing wait until something is added. */
class FakeFeed implements EventFeed {
  isFree = true;
  readonly confirmed: string[] = [];
  /** Called at the start of each read. */
  onRead: () => void = () => {};
  readonly #log: LoggedEvent[] = [];
  #at = 0;
  #wake: () => void = () => {};

  add(...events: (DomainEvent | undefined)[]): void {
    for (const event of events) this.#log.push({ position: `${this.#log.length + 1}-0`, event });
    this.#wake();
  }

  async claim(): Promise<boolean> {
    return this.isFree;
  }

  async read(): Promise<readonly LoggedEvent[]> {
    this.onRead();
    if (this.#at >= this.#log.length) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#log.slice(this.#at);
  }

  async confirm(position: string): Promise<boolean> {
    this.confirmed.push(position);
    this.#at = Number.parseInt(position, 10);
    return true;
  }

  async release(): Promise<void> {
    this.confirmed.push('released');
  }

  /** Ends a read that waits, as its time-out does. */
  wake(): void {
    this.#wake();
  }
}

class FakeQueues implements DeliveryQueues {
  readonly done: string[] = [];
  readonly known = new Set<EndpointId>();
  isAway = false;

  async enqueue(id: EndpointId, deliveries: readonly Delivery[]): Promise<number> {
    if (this.isAway) throw new DependencyError('QUEUE_UNAVAILABLE', { message: 'away' });
    this.known.add(id);
    this.done.push(...deliveries.map(({ event }) => `${event.eventId} to ${id}`));
    return 0;
  }

  async drop(id: EndpointId): Promise<void> {
    this.known.delete(id);
    this.done.push(`drop ${id}`);
  }

  async list(): Promise<readonly EndpointId[]> {
    return [...this.known];
  }

  async forget(): Promise<void> {
    this.done.push('forget');
  }
}

function start(endpoints: Endpoint[] = [HOOK], isFree = true) {
  const feed = new FakeFeed();
  feed.isFree = isFree;
  const queues = new FakeQueues();
  const clock = new TestClock();
  const store = { list: async () => endpoints } as unknown as EndpointStore;
  const dispatcher = new EventDispatcher({
    feed,
    queues,
    endpoints: store,
    clock,
    timers: clock,
    logger: silentLogger,
  });
  const close = async (): Promise<void> => {
    const closing = dispatcher.close();
    feed.wake();
    await closing;
  };
  return { feed, queues, clock, close };
}

describe('the event dispatcher', () => {
  it('queues every event for every endpoint that wants it, then confirms', async () => {
    const other = anEndpoint('http://b.example/', { events: ['stream_stopped'] });
    const { feed, queues, close } = start([HOOK, other]);
    const started = anEvent();
    const stopped = anEvent({ fact: FACTS.stream_stopped });
    feed.add(started, stopped);
    await settle();
    expect(queues.done).toEqual([
      'forget',
      `${started.eventId} to ${HOOK.id}`,
      `${stopped.eventId} to ${HOOK.id}`,
      `${stopped.eventId} to ${other.id}`,
    ]);
    expect(feed.confirmed).toEqual(['2-0']);
    await close();
  });

  it('passes over an entry that cannot be read', async () => {
    const { feed, queues, close } = start();
    const event = anEvent();
    feed.add(undefined, event);
    await settle();
    expect(queues.done).toContain(`${event.eventId} to ${HOOK.id}`);
    expect(feed.confirmed).toEqual(['2-0']);
    await close();
  });

  it('confirms nothing that could not be queued, and tries again', async () => {
    const { feed, queues, clock, close } = start();
    queues.isAway = true;
    const event = anEvent();
    feed.add(event);
    await settle();
    expect(feed.confirmed).toEqual([]);
    queues.isAway = false;
    await clock.advance(500);
    expect(queues.done).toContain(`${event.eventId} to ${HOOK.id}`);
    expect(feed.confirmed).toEqual(['1-0']);
    await close();
  });

  it('drops the queues of endpoints that are gone before it queues anything', async () => {
    const { feed, queues, close } = start();
    queues.known.add('gone' as EndpointId);
    feed.add(anEvent());
    await settle();
    expect(queues.done[1]).toBe('drop gone');
    expect([...queues.known]).toEqual([HOOK.id]);
    await close();
  });

  it('does nothing while another worker has the seat, and takes it when it is free', async () => {
    const { feed, queues, clock, close } = start([HOOK], false);
    feed.add(anEvent());
    await clock.advance(2_000);
    expect(queues.done).toEqual([]);
    feed.isFree = true;
    await clock.advance(500);
    expect(feed.confirmed).toEqual(['1-0']);
    await close();
  });

  it('does not act on a seat that was claimed too long ago', async () => {
    const { feed, queues, clock, close } = start();
    let reads = 0;
    feed.onRead = () => {
      reads += 1;
      // This process stood still, long enough to lose the seat.
      if (reads === 1) void clock.advance(4_000);
    };
    feed.add(anEvent());
    await settle();
    await settle();
    expect(reads).toBeGreaterThan(1);
    expect(queues.done.filter((word) => word.includes(' to '))).toHaveLength(1);
    await close();
  });

  it('gives the seat up when it closes', async () => {
    const { feed, close } = start();
    await settle();
    await close();
    expect(feed.confirmed).toEqual(['released']);
  });
});
