import { describe, expect, it } from 'vitest';
import { startRegistry, streamInput, VIEWER } from '../../support/stream-bench.ts';

async function watched() {
  const bench = await startRegistry();
  const { snapshot } = await bench.registry.create(streamInput('http://example.com/a.ts'));
  return { ...bench, stream: await bench.registry.open(snapshot.definition.id) };
}

const DAY_MS = 86_400_000;

describe('a viewing that was granted', () => {
  it.each([1000, 40 * DAY_MS])(
    'ends when its time is over, after %d ms',
    async (lastsMs) => {
      const { stream, clock, state } = await watched();
      const grant = { by: 'link', stopAtMs: clock.nowMs() + lastsMs } as const;
      const viewer = stream.join({ ...VIEWER, grant }, 0);
      await clock.advance(lastsMs - 1);
      expect(viewer.ended.aborted).toBe(false);
      await clock.advance(1);
      expect(viewer.ended.aborted).toBe(true);
      expect(state.events.map(({ fact }) => fact)).toContainEqual(
        expect.objectContaining({ type: 'client_disconnected', reason: 'access_ended' }),
      );
    },
    20_000,
  ); // Forty days have many timers.

  it('that polls goes by the grant that it asked with last', async () => {
    const { stream, clock, registry } = await watched();
    const poll = (stopAtMs: number) =>
      stream.poll({ ...VIEWER, grant: { by: 'link', stopAtMs } }, DAY_MS);
    const startMs = clock.nowMs();
    poll(startMs + 1000);
    const { ended } = poll(startMs + 5000);
    await clock.advance(4999);
    expect(ended.aborted).toBe(false);
    await clock.advance(1);
    expect(ended.aborted).toBe(true);
    expect(registry.totals().viewers).toBe(0);
  });

  it('ends with its key, and none but those that have it', async () => {
    const { stream, registry } = await watched();
    const join = (keyId: string) => stream.join({ ...VIEWER, grant: { by: 'key', keyId } }, 0);
    const [one, same, other] = [join('a'), join('a'), join('b')];
    registry.endKey('a');
    expect([one, same, other].map(({ ended }) => ended.aborted)).toEqual([true, true, false]);
  });

  it('leaves no timer behind when the viewer leaves before', async () => {
    const { stream, clock } = await watched();
    const before = clock.pendingTimers;
    const grant = { by: 'link', stopAtMs: clock.nowMs() + DAY_MS } as const;
    stream.join({ ...VIEWER, grant }, 0).close('client_disconnected');
    expect(clock.pendingTimers).toBe(before);
  });
});
