import { describe, expect, it } from 'vitest';
import { asStreamId } from '#kernel/ids';
import { Presence } from '../../../services/delivery/viewing/presence.ts';
import { VIEWER, startRegistry, streamInput } from '../../support/stream-bench.ts';

async function start() {
  const { registry, clock, state } = await startRegistry();
  const { snapshot } = await registry.create(streamInput('http://p.example/a.m3u8'));
  const stream = await registry.open(asStreamId(snapshot.definition.id));
  let idleMs = 1000;
  const presence = new Presence({ stream, viewer: VIEWER, idleMs: () => idleMs, timers: clock });
  const viewers = (): number => registry.viewers(stream.id).length;
  const setIdleMs = (ms: number): void => void (idleMs = ms);
  return { registry, clock, state, presence, viewers, setIdleMs };
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

  it('goes by what became known of the idle time while the request was open', async () => {
    const { clock, viewers, presence, setIdleMs } = await start();
    setIdleMs(30_000);
    presence.close('done');
    await clock.advance(29_999);
    expect(viewers()).toBe(1);
    await clock.advance(1);
    expect(viewers()).toBe(0);
  });

  it('does not bring back a viewer that was kicked', async () => {
    const { clock, viewers, presence, registry } = await start();
    await registry.kick(presence.clientId);
    expect(presence.ended.aborted).toBe(true);
    await clock.advance(10_000);
    expect(viewers()).toBe(0);
  });
});
