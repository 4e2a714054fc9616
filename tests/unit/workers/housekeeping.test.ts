import { describe, expect, it } from 'vitest';
import type { NodeEpoch } from '#kernel/ids';
import { newSessionId } from '#kernel/ids';
import { silentLogger } from '#kernel/logger';
import { Housekeeping } from '../../../workers/housekeeping.worker.ts';
import type { HousekeepingStore, LostViewer } from '../../../workers/housekeeping.worker.ts';
import { STREAM, VIEWER } from '../../support/events.ts';
import { TestClock } from '../../support/test-clock.ts';

const NODE = 'epoch-1' as NodeEpoch;
const viewer = (): LostViewer => ({
  sessionId: newSessionId(),
  streamId: STREAM,
  clientId: VIEWER,
  metadata: { id: '1' },
});

class FakeStore implements HousekeepingStore {
  silent: NodeEpoch[] = [];
  viewers: LostViewer[] = [];
  idle: string[] = [];
  isAway = false;
  readonly done: unknown[] = [];

  async silentNodes(): Promise<readonly NodeEpoch[]> {
    if (this.isAway) throw new Error('away');
    return this.silent;
  }

  async viewersOf(): Promise<readonly LostViewer[]> {
    return this.viewers;
  }

  async endViewer(...[lost, { left, stopped }]: Parameters<HousekeepingStore['endViewer']>) {
    this.done.push([lost.sessionId, left.fact, stopped.fact, left.metadata]);
  }

  async forgetNode(node: NodeEpoch): Promise<void> {
    this.silent = this.silent.filter((other) => other !== node);
    this.done.push(`forget ${node}`);
  }

  async expired() {
    return this.idle.map(() => ({ id: STREAM, metadata: { id: '1' } }));
  }

  async expire(...[id, { ttlMs, stopped }]: Parameters<HousekeepingStore['expire']>) {
    this.idle = [];
    this.done.push([id, ttlMs, stopped.fact, stopped.metadata]);
    return true;
  }
}

function start(store: FakeStore, streamTtlMs = 60_000) {
  const clock = new TestClock();
  const keeper = new Housekeeping({
    store,
    streamTtlMs,
    clock,
    timers: clock,
    logger: silentLogger,
  });
  return { clock, close: () => keeper.close() };
}

describe('housekeeping', () => {
  it('ends the viewers of a node that stays silent for four seconds', async () => {
    const store = new FakeStore();
    store.silent = [NODE];
    store.viewers = [viewer()];
    const { clock, close } = start(store);
    await clock.advance(3_900);
    expect(store.done).toEqual([]);
    await clock.advance(100);
    expect(store.done).toEqual([
      [
        store.viewers[0]?.sessionId,
        expect.objectContaining({ type: 'client_disconnected', reason: 'node_lost' }),
        expect.objectContaining({ type: 'stream_stopped', reason: 'node_lost' }),
        { id: '1' },
      ],
      `forget ${NODE}`,
    ]);
    await close();
  });

  it('spares a node that is heard of again', async () => {
    const store = new FakeStore();
    store.silent = [NODE];
    const { clock, close } = start(store);
    await clock.advance(2_000);
    store.silent = [];
    await clock.advance(2_000);
    store.silent = [NODE];
    await clock.advance(3_900);
    expect(store.done).toEqual([]);
    await close();
  });

  it('begins to wait anew when it could not listen itself', async () => {
    const store = new FakeStore();
    store.silent = [NODE];
    const { clock, close } = start(store);
    await clock.advance(2_000);
    store.isAway = true;
    await clock.advance(2_000);
    store.isAway = false;
    await clock.advance(4_000);
    expect(store.done).toEqual([]);
    await clock.advance(2_000);
    expect(store.done).toEqual([`forget ${NODE}`]);
    await close();
  });

  it('forgets streams that nobody used for their time to live', async () => {
    const store = new FakeStore();
    store.idle = [STREAM];
    const { clock, close } = start(store);
    await clock.advance(0);
    const fact = { type: 'stream_stopped', reason: 'inactive_timeout', bytesServed: 0 };
    expect(store.done).toEqual([[STREAM, 60_000, fact, { id: '1' }]]);
    await close();
  });

  it('keeps streams for ever with a time to live of 0', async () => {
    const store = new FakeStore();
    store.idle = [STREAM];
    const { clock, close } = start(store, 0);
    await clock.advance(10_000);
    expect(store.done).toEqual([]);
    await close();
  });

  it('leaves no timer behind', async () => {
    const { clock, close } = start(new FakeStore());
    await clock.advance(5_000);
    await close();
    await close();
    expect(clock.pendingTimers).toBe(0);
  });
});
