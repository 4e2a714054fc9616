import { describe, expect, it } from 'vitest';
import { asStreamId } from '#kernel/ids';
import { Presence } from '../../../services/delivery/hls/presence.ts';
import { VIEWER, startRegistry, streamInput } from '../../support/stream-bench.ts';

async function start() {
  const { registry, clock, state } = await startRegistry();
  const { snapshot } = await registry.create(streamInput('http://p.example/a.m3u8'));
  const stream = await registry.open(asStreamId(snapshot.definition.id));
  const presence = new Presence({ stream, viewer: VIEWER, idleMs: 1000, timers: clock });
  const viewers = (): number => registry.viewers(stream.id).length;
  return { registry, clock, state, presence, viewers };
}

describe('Presence', () => {
  it('counts at once, and as long as the request is open', async () => {
    const { clock, viewers, presence } = await start();
    expect(viewers()).toBe(1);
    await clock.advance(60_000);
    expect(viewers()).toBe(1);
    presence.close('done');
  });

  it('leaves the viewer to its idle time when the request is over', async () => {
    const { clock, viewers, presence, state } = await start();
    presence.close('done');
    presence.close('done');
    await clock.advance(999);
    expect(viewers()).toBe(1);
    await clock.advance(1);
    expect(viewers()).toBe(0);
    expect(state.told.filter((type) => type === 'client_connected')).toHaveLength(1);
  });

  it('does not bring back a viewer that was kicked', async () => {
    const { clock, viewers, presence, registry } = await start();
    await registry.kick(presence.clientId);
    expect(presence.ended.aborted).toBe(true);
    await clock.advance(10_000);
    expect(viewers()).toBe(0);
  });
});
