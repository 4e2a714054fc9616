import { describe, expect, it } from 'vitest';
import { UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import { FakeResolver } from '../../support/fake-state.ts';
import { VIEWER, startRegistry, streamInput } from '../../support/stream-bench.ts';

const never = new AbortController().signal;
const refused = (): AppError => new UpstreamError('UPSTREAM_REFUSED', { message: 'no' });
const HOLDS = { holdsOut: () => true };

async function openStream(
  over: Parameters<typeof streamInput>[1] = { failoverUrls: ['http://b/'] },
  resolver?: FakeResolver,
) {
  const bench = await startRegistry(resolver);
  const { snapshot } = await bench.registry.create(streamInput('http://a/1', over));
  const { id } = snapshot.definition;
  const stream = await bench.registry.open(id);
  const slate = async () => (await bench.registry.get(id)).slate;
  return { ...bench, stream, id, slate };
}

type Opened = Awaited<ReturnType<typeof openStream>>;

/** Fails every source it is given for `forMs`; gives when each was asked. */
async function failAll({ stream, clock }: Opened, forMs: number): Promise<readonly number[]> {
  const walk = stream.walk(HOLDS);
  const startMs = clock.monotonicMs();
  const asked: number[] = [];
  const left = new AbortController();
  const run = async (): Promise<void> => {
    for (let source = await walk.ready(left.signal); ;) {
      asked.push(clock.monotonicMs() - startMs);
      source = await walk.failed(source, refused(), left.signal);
    }
  };
  const ended = run().catch(() => {});
  await clock.advance(forMs);
  left.abort();
  walk.close();
  await ended;
  return asked;
}

describe('a reader that holds out', () => {
  it.each([
    ['backups', { failoverUrls: ['http://b/', 'http://c/'] }],
    ['one source', { failoverUrls: [] }],
    ['a resolver that names none', { failoverResolverUrl: 'http://app/next' }],
  ])('tries on for hours, with %s, and ever more rarely', async (_name, over) => {
    const opened = await openStream(over, new FakeResolver());
    const asked = await failAll(opened, 2 * 3_600_000);
    const inLastHour = asked.filter((atMs) => atMs > 3_600_000).length;
    expect(inLastHour).toBeGreaterThan(3600 / 30);
    expect(inLastHour).toBeLessThanOrEqual(3600 / 4);
    expect(opened.state.told).not.toContain('stream_failed');
  });

  it('is asked only when all tries are used up', async () => {
    const { stream } = await openStream();
    const codes: string[] = [];
    const walk = stream.walk({
      holdsOut: ({ code }) => {
        codes.push(code);
        return false;
      },
    });
    const backup = await walk.failed(walk.current, refused(), never);
    expect(codes).toEqual([]);
    await expect(walk.failed(backup, refused(), never)).rejects.toMatchObject({
      code: 'ALL_SOURCES_FAILED',
    });
    expect(codes).toEqual(['UPSTREAM_REFUSED']);
  });

  it('tells stream_failed when it gives up after all', async () => {
    const { stream, state } = await openStream();
    const walk = stream.walk(HOLDS);
    await walk.failed(walk.current, refused(), never);
    expect(walk.giveUp(refused()).code).toBe('ALL_SOURCES_FAILED');
    expect(state.told.at(-1)).toBe('stream_failed');
  });
});

describe('a slate that viewers see', () => {
  it('is told once for all who see it, and in the snapshot', async () => {
    const { stream, state, clock, slate } = await openStream();
    const [one, other] = [stream.walk(HOLDS), stream.walk(HOLDS)];
    expect(await slate()).toBeNull();
    one.slate('channel_unavailable');
    one.slate('channel_unavailable');
    other.slate('provider_connections_exhausted');
    expect(await slate()).toBe('channel_unavailable');
    await clock.advance(4000);
    one.slate(undefined);
    expect(state.told.at(-1)).toBe('slate_started');
    other.close();
    other.close();
    expect(await slate()).toBeNull();
    expect(state.told.filter((type) => type.startsWith('slate'))).toEqual([
      'slate_started',
      'slate_ended',
    ]);
    expect(state.events.at(-1)?.fact).toMatchObject({
      trigger: 'channel_unavailable',
      durationMs: 4000,
    });
  });

  it('has ended before its last viewer has left and the stream stops', async () => {
    const { stream, state } = await openStream();
    const viewer = stream.join(VIEWER, 0);
    stream.walk(HOLDS).slate('channel_unavailable');
    viewer.close('client_disconnected');
    expect(state.told.slice(-3)).toEqual(['slate_ended', 'client_disconnected', 'stream_stopped']);
  });
});
