import { describe, expect, it } from 'vitest';
import { asClientId, streamIdOf } from '#kernel/ids';
import { FakeResolver } from '../../support/fake-state.ts';
import { startRegistry, streamInput, VIEWER } from '../../support/stream-bench.ts';

const URL_A = 'http://example.com/live/a.ts';

async function withStream(over: Parameters<typeof streamInput>[1] = {}) {
  const bench = await startRegistry();
  const { snapshot } = await bench.registry.create(streamInput(URL_A, over));
  const { id } = snapshot.definition;
  return { ...bench, id, stream: await bench.registry.open(id) };
}

describe('creating streams', () => {
  it('gives the id that other tools compute from the URL', async () => {
    const { id } = await withStream();
    expect(id).toBe('5c14b359b238c9343fa7c51063b827de');
  });

  it('is durable before it answers, and opens the stream once', async () => {
    const { registry, state, id } = await withStream();
    await registry.create(streamInput(URL_A));
    expect(state.definitions.has(id)).toBe(true);
    expect(state.told).toEqual(['stream_started']);
  });

  it('changes nothing when the store is away', async () => {
    const { registry, state, id } = await withStream({ metadata: { a: '1' } });
    state.isAway = true;
    await expect(
      registry.create(streamInput(URL_A, { metadata: { a: '2' } })),
    ).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect((await registry.get(id)).definition.metadata).toEqual({ a: '1' });
  });

  it('updates an idle stream and starts it over at its primary', async () => {
    const { registry, id } = await withStream({ failoverUrls: ['http://b/'] });
    const first = await registry.get(id);
    await registry.failover(id);
    const { outcome, deferred, snapshot } = await registry.create(
      streamInput(URL_A, { metadata: { x: 'y' } }),
    );
    expect({ outcome, deferred }).toEqual({ outcome: 'updated', deferred: [] });
    expect(snapshot).toMatchObject({ currentUrl: URL_A, failoverIndex: -1 });
    expect(snapshot.definition).toMatchObject({
      metadata: { x: 'y' },
      failoverUrls: [],
      createdAtMs: first.definition.createdAtMs,
    });
  });

  it('applies to a watched stream what can be applied, and says what waits', async () => {
    const { registry, stream, id } = await withStream({ failoverUrls: ['http://b/'] });
    stream.join(VIEWER, 0);
    await registry.failover(id);
    const again = await registry.create(
      streamInput(URL_A, {
        metadata: { n: '2' },
        failoverUrls: ['http://b/', 'http://c/'],
        headers: { 'X-New': '1' },
      }),
    );
    expect(again.deferred).toEqual([
      'user_agent',
      'headers',
      'sharing',
      'egress',
      'max_connections',
    ]);
    expect(again.snapshot).toMatchObject({
      currentUrl: 'http://b/',
      failoverIndex: 0,
      viewerCount: 1,
    });
    expect(again.snapshot.definition.metadata).toEqual({ n: '2' });
  });

  it('makes one stream of concurrent posts', async () => {
    const { registry, state } = await startRegistry();
    await Promise.all(Array.from({ length: 10 }, () => registry.create(streamInput(URL_A))));
    expect(registry.list()).toHaveLength(1);
    expect(state.told).toEqual(['stream_started']);
  });
});

describe('viewers', () => {
  it('count at once and are gone at once, with one event for each thing that happened', async () => {
    const { registry, state, stream, id } = await withStream();
    const connection = stream.join(VIEWER, 0);
    expect(registry.totals()).toMatchObject({ activeStreams: 1, viewers: 1 });
    expect(connection.clientId).toBe('client_d3b1ac79b93b753b');
    connection.served(1000);
    connection.close('client_disconnected');
    connection.close('client_disconnected');
    expect(registry.totals()).toMatchObject({ activeStreams: 0, viewers: 0, bytesServed: 1000 });
    expect((await registry.get(id)).bytesServed).toBe(1000);
    expect(state.told).toEqual([
      'stream_started',
      'client_connected',
      'client_disconnected',
      'stream_stopped',
    ]);
  });

  it('get the id that the contract derives for them with a user name', async () => {
    const { stream } = await withStream();
    expect(stream.join({ ...VIEWER, username: 'alice' }, 0).clientId).toBe(
      'client_0b5f87ff454e2af1',
    );
  });

  it('start the stream again after it had stopped', async () => {
    const { state, stream } = await withStream();
    stream.join(VIEWER, 0).close('x');
    stream.join(VIEWER, 0).close('x');
    expect(state.told.filter((type) => type === 'stream_started')).toHaveLength(2);
    expect(state.told.filter((type) => type === 'stream_stopped')).toHaveLength(2);
  });

  it('behind one address are told apart while both watch', async () => {
    const { registry, stream, id } = await withStream();
    const [first, second] = [stream.join(VIEWER, 0), stream.join(VIEWER, 0)];
    expect(second.clientId).toMatch(new RegExp(`^${first.clientId}_[0-9a-f]{8}$`));
    expect(registry.viewers(id)).toHaveLength(2);
  });

  it('keep their place when an old connection of the same id closes late', async () => {
    const { registry, state, stream, id } = await withStream();
    const viewer = { ...VIEWER, clientId: asClientId('popout-1') };
    const old = stream.join(viewer, 0);
    const young = stream.join(viewer, 0);
    old.close('late');
    expect(registry.viewers(id)).toHaveLength(1);
    young.close('done');
    expect(state.told).toEqual([
      'stream_started',
      'client_connected',
      'client_disconnected',
      'stream_stopped',
    ]);
  });

  it('that seek in a file stay the same viewer', async () => {
    const { clock, state, stream } = await withStream();
    stream.join(VIEWER, 500).close('seek');
    await clock.advance(400);
    stream.join(VIEWER, 500).close('end');
    await clock.advance(499);
    expect(state.told).toEqual(['stream_started', 'client_connected']);
    await clock.advance(1);
    expect(state.told.slice(2)).toEqual(['client_disconnected', 'stream_stopped']);
  });

  it('that poll count until they have not asked for long enough', async () => {
    const { clock, registry, stream } = await withStream();
    stream.poll(VIEWER, 10_000);
    await clock.advance(9_999);
    stream.poll(VIEWER, 10_000);
    await clock.advance(9_999);
    expect(registry.totals().viewers).toBe(1);
    await clock.advance(1);
    expect(registry.totals().viewers).toBe(0);
  });

  it('leave the stream running for the others', async () => {
    const { state, stream } = await withStream();
    const first = stream.join(VIEWER, 0);
    stream.join({ ...VIEWER, userAgent: 'Kodi' }, 0);
    first.close('x');
    expect(state.told).not.toContain('stream_stopped');
  });

  it('are cut when they are kicked', async () => {
    const { registry, state, stream, id } = await withStream();
    const connection = stream.join(VIEWER, 0);
    expect(await registry.kick(connection.clientId, id)).toBe(true);
    expect(connection.ended.aborted).toBe(true);
    expect(await registry.kick(connection.clientId, id)).toBe(false);
    expect(state.told.slice(2)).toEqual(['client_disconnected', 'stream_stopped']);
  });
});

describe('removing a stream', () => {
  it('cuts its viewers and tells once that it stopped, and why', async () => {
    const { registry, state, stream, id } = await withStream({
      metadata: { provider_profile_id: '3' },
    });
    const connection = stream.join(VIEWER, 0);
    await registry.remove(id, {
      reason: 'metadata_filter_deletion',
      filter: { field: 'a', value: 'b' },
    });
    expect(connection.ended.aborted).toBe(true);
    expect(stream.removed.aborted).toBe(true);
    connection.close('late');
    expect(state.told).toEqual([
      'stream_started',
      'client_connected',
      'client_disconnected',
      'stream_stopped',
    ]);
    expect(state.events.at(-1)).toMatchObject({
      metadata: { provider_profile_id: '3' },
      fact: { reason: 'metadata_filter_deletion', filter: { field: 'a', value: 'b' } },
    });
    await expect(registry.get(id)).rejects.toMatchObject({ code: 'STREAM_NOT_FOUND' });
  });

  it('leaves it running when the store is away', async () => {
    const { registry, state, stream, id } = await withStream();
    const connection = stream.join(VIEWER, 0);
    state.isAway = true;
    await expect(registry.remove(id, { reason: 'manual_deletion' })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    expect(connection.ended.aborted).toBe(false);
    expect((await registry.get(id)).viewerCount).toBe(1);
  });
});

describe('moving a stream on by hand', () => {
  it('advances exactly once and tells the readers', async () => {
    const { registry, stream, id, state } = await withStream({
      failoverUrls: ['http://b/', 'http://c/'],
    });
    stream.join(VIEWER, 0);
    const walk = stream.walk();
    const moves: string[] = [];
    walk.onMoved(({ url }) => moves.push(url));
    expect(await registry.failover(id)).toEqual({
      newUrl: 'http://b/',
      failoverIndex: 0,
      failoverAttempts: 1,
      viewerCount: 1,
      kind: 'live',
    });
    expect(moves).toEqual(['http://b/']);
    expect(state.events.at(-1)?.fact).toMatchObject({
      type: 'failover_triggered',
      reason: 'manual',
      oldUrl: URL_A,
      newUrl: 'http://b/',
      clientCount: 1,
    });
  });

  it('is refused when there is nowhere to go', async () => {
    const { registry, id } = await withStream();
    await expect(registry.failover(id)).rejects.toMatchObject({ code: 'FAILOVER_NOT_CONFIGURED' });
  });

  it('fails when the app names no other source', async () => {
    const { registry } = await startRegistry(new FakeResolver());
    await registry.create(streamInput(URL_A, { failoverResolverUrl: 'http://app/' }));
    await expect(registry.failover(streamIdOf(URL_A))).rejects.toMatchObject({
      code: 'ALL_SOURCES_FAILED',
    });
  });
});

describe('the mirror of the store', () => {
  it('knows after a start what was registered before, oldest first', async () => {
    const first = await startRegistry();
    await first.registry.create(streamInput('http://one/'));
    await first.clock.advance(1000);
    await first.registry.create(streamInput('http://two/'));
    const second = await startRegistry();
    for (const definition of [...first.state.definitions.values()].toReversed())
      second.state.definitions.set(definition.id, definition);
    await second.registry.load();
    expect(second.registry.list().map(({ definition }) => definition.url)).toEqual([
      'http://one/',
      'http://two/',
    ]);
  });

  it('finds a stream that another process has registered', async () => {
    const { registry, state } = await startRegistry();
    const other = await startRegistry();
    const { snapshot } = await other.registry.create(streamInput(URL_A));
    state.definitions.set(snapshot.definition.id, snapshot.definition);
    expect((await registry.open(snapshot.definition.id)).id).toBe(snapshot.definition.id);
  });

  it('cuts the viewers of a stream that another process has removed', async () => {
    const { clock, registry, state, stream, id } = await withStream();
    const connection = stream.join(VIEWER, 0);
    state.changeElsewhere(id, undefined);
    await clock.advance(0);
    expect(connection.ended.aborted).toBe(true);
    expect(state.told).toContain('client_disconnected');
    expect(registry.list()).toEqual([]);
  });

  it('keeps watched streams from expiring', async () => {
    const { clock, state, stream, id } = await withStream();
    stream.join(VIEWER, 0);
    state.touched.clear();
    await clock.advance(5_000);
    expect(state.touched.has(id)).toBe(true);
  });
});
