import { describe, expect, it } from 'vitest';
import { UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { ErrorCode } from '#kernel/error-codes';
import type { SourceWalk, Stream, WalkReader } from '#streams';
import type { FakeState } from '../../support/fake-state.ts';
import { FakeResolver } from '../../support/fake-state.ts';
import { startRegistry, streamInput, VIEWER } from '../../support/stream-bench.ts';

const never = new AbortController().signal;
const failure = (code: ErrorCode = 'UPSTREAM_REFUSED'): AppError =>
  new UpstreamError(code, { message: 'no' });

async function openStream(
  over: Parameters<typeof streamInput>[1] = { failoverUrls: ['http://b/'] },
) {
  const bench = await startRegistry(new FakeResolver());
  const { snapshot } = await bench.registry.create(streamInput('http://a/', over));
  const { id } = snapshot.definition;
  const stream = await bench.registry.open(id);
  const viewer = stream.join(VIEWER, 0);
  const switches = async () => (await bench.registry.get(id)).switches;
  return { ...bench, stream, viewer, id, switches };
}

/** A walk with a picture from the stream's source. */
async function watching(stream: Stream, reader?: WalkReader): Promise<SourceWalk> {
  const walk = stream.walk(reader);
  await walk.ready(never);
  walk.flowing();
  return walk;
}

const switchesTold = ({ events }: FakeState) =>
  events.flatMap(({ fact }) => (fact.type === 'failover_triggered' ? [fact] : []));

describe('a switch of source', () => {
  const timing = { gapMs: 300, detectionMs: 200, connectMs: 100 };

  it('is told with its gap when the new source’s media comes', async () => {
    const { stream, state, switches } = await openStream();
    const walk = await watching(stream);
    await walk.failed(walk.current, failure('UPSTREAM_STALLED'), never);
    expect(state.told).not.toContain('failover_triggered');
    expect(await switches()).toMatchObject([{ fromIndex: -1, toIndex: 0, gapMs: null }]);
    walk.flowing(timing);
    expect(state.events.at(-1)?.fact).toMatchObject({ type: 'failover_triggered', gapMs: 300 });
    expect(await switches()).toMatchObject([{ fromIndex: -1, toIndex: 0, ...timing }]);
  });

  it('is one, however many sources were tried in vain before one gave media', async () => {
    const { stream, state, switches } = await openStream({
      failoverUrls: ['http://b/', 'http://c/'],
    });
    const walk = await watching(stream);
    const b = await walk.failed(walk.current, failure('UPSTREAM_STALLED'), never);
    await walk.failed(b, failure(), never);
    walk.flowing(timing);
    expect(switchesTold(state)).toMatchObject([
      { oldUrl: 'http://a/', newUrl: 'http://c/', failedTries: 1, gapMs: 300 },
    ]);
    expect(switchesTold(state)[0]).toMatchObject({ reason: expect.stringMatching('ReadTimeout') });
    expect(await switches()).toMatchObject([
      { fromIndex: -1, toIndex: 1, failedTries: 1, ...timing },
    ]);
  });

  it('is none when the source that failed gives media again, but is remembered', async () => {
    const { stream, state, switches, clock } = await openStream();
    const walk = await watching(stream);
    const b = await walk.failed(walk.current, failure('UPSTREAM_STALLED'), never);
    const again = walk.failed(b, failure(), never);
    await clock.advance(10_000);
    expect((await again).url).toBe('http://a/');
    walk.flowing(timing);
    expect(switchesTold(state)).toEqual([]);
    expect(await switches()).toMatchObject([
      { fromIndex: -1, toIndex: -1, failedTries: 1, gapMs: 300 },
    ]);
  });

  it('is told once, not at each try, through an outage of an hour', async () => {
    const { stream, state, switches, clock } = await openStream();
    const walk = await watching(stream, { holdsOut: () => true });
    const left = new AbortController();
    let source = walk.current;
    const goOn = async (): Promise<void> => {
      for (;;) source = await walk.failed(source, failure(), left.signal);
    };
    const ended = goOn().catch(() => {});
    await clock.advance(3_600_000);
    expect(switchesTold(state)).toEqual([]);
    expect(await switches()).toHaveLength(1);
    while (walk.current.url === 'http://a/') await clock.advance(1000);
    walk.flowing(timing);
    left.abort();
    await ended;
    expect(switchesTold(state)).toMatchObject([{ oldUrl: 'http://a/', newUrl: 'http://b/' }]);
    expect(switchesTold(state)[0]?.failedTries).toBeGreaterThan(100);
  });

  it('that brought no media is told when the next viewer gets some', async () => {
    const { stream, state, clock } = await openStream();
    const walk = await watching(stream);
    let source = await walk.failed(walk.current, failure('UPSTREAM_STALLED'), never);
    const goOn = async (): Promise<void> => {
      for (;;) source = await walk.failed(source, failure(), never);
    };
    const ended = goOn().catch((error: unknown) => error);
    await clock.advance(60_000);
    expect(await ended).toMatchObject({ code: 'ALL_SOURCES_FAILED' });
    walk.close();
    expect(switchesTold(state)).toEqual([]);
    expect(state.told.at(-1)).toBe('stream_failed');
    const later = stream.walk();
    if (later.current.url === 'http://a/') await later.failed(later.current, failure(), never);
    later.flowing();
    expect(switchesTold(state)).toMatchObject([{ newUrl: 'http://b/', gapMs: null }]);
  });

  it('is forgotten when the stream is posted anew, and begins at its primary', async () => {
    const { stream, viewer, state, registry } = await openStream();
    const walk = stream.walk();
    await walk.failed(walk.current, failure(), never);
    walk.close();
    viewer.close('client_disconnected');
    await registry.create(streamInput('http://a/', { failoverUrls: ['http://b/'] }));
    stream.walk().flowing();
    expect(switchesTold(state)).toEqual([]);
  });

  it('is remembered with the last nine before it', async () => {
    const { registry, id, switches } = await openStream();
    for (let n = 0; n < 13; n += 1) await registry.failover(id);
    expect(await switches()).toHaveLength(10);
  });
});
