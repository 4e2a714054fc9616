import { describe, expect, it } from 'vitest';
import { AppError, UpstreamError } from '#kernel/app-error';
import type { ErrorCode } from '#kernel/error-codes';
import { FakeResolver } from '../../support/fake-state.ts';
import { startRegistry, streamInput } from '../../support/stream-bench.ts';

const never = new AbortController().signal;
const refused = (): AppError => new UpstreamError('UPSTREAM_REFUSED', { message: 'no' });
const failure = (code: ErrorCode, status?: number): AppError =>
  new UpstreamError(code, { message: 'no', details: status === undefined ? {} : { status } });

async function openStream(over: Parameters<typeof streamInput>[1], resolver?: FakeResolver) {
  const bench = await startRegistry(resolver);
  const { snapshot } = await bench.registry.create(streamInput('http://a/1', over));
  const stream = await bench.registry.open(snapshot.definition.id);
  return { ...bench, stream, id: snapshot.definition.id };
}

describe('a walk through the sources', () => {
  it('sends the stream’s user agent and headers to every source', async () => {
    const { stream } = await openStream({
      userAgent: 'X/2',
      headers: { 'X-A': 'b' },
      failoverUrls: ['http://b/'],
    });
    const walk = stream.walk();
    expect(walk.current).toMatchObject({
      url: 'http://a/1',
      index: -1,
      headers: { 'User-Agent': 'X/2', 'X-A': 'b' },
    });
    const next = await walk.failed(walk.current, refused(), never);
    expect(next).toMatchObject({ url: 'http://b/', index: 0, headers: { 'X-A': 'b' } });
  });

  it('tries each source once, then gives up and tells stream_failed with the metadata', async () => {
    const { stream, state } = await openStream({
      failoverUrls: ['http://b/', 'http://c/'],
      metadata: { id: '7' },
    });
    const walk = stream.walk();
    const second = await walk.failed(walk.current, refused(), never);
    const third = await walk.failed(second, refused(), never);
    const primary = walk.failed(third, refused(), never);
    await expect(primary).rejects.toMatchObject({ code: 'ALL_SOURCES_FAILED' });
    expect(state.told).toEqual(['stream_started', 'stream_failed']);
    expect(state.events.at(-1)?.metadata).toEqual({ id: '7' });
  });

  it('leaves a source whose provider is at its limit without blame', async () => {
    const { stream } = await openStream({ failoverUrls: ['http://b/'] });
    const full = failure('PROVIDER_AT_CAPACITY');
    const walk = stream.walk();
    const backup = await walk.failed(walk.current, full, never);
    expect(backup.url).toBe('http://b/');
    // It has not cooled: the next viewer is sent there at once. That it may work soon is the answer.
    await expect(walk.failed(backup, refused(), never)).rejects.toBe(full);
    const next = stream.walk();
    expect((await next.failed(next.current, refused(), never)).url).toBe('http://a/1');
  });

  it('gives up at once where the only source has a provider at its limit', async () => {
    const { stream } = await openStream({});
    const walk = stream.walk();
    const full = failure('PROVIDER_AT_CAPACITY');
    await expect(walk.failed(walk.current, full, never)).rejects.toBe(full);
  });

  it('comes round to the primary for a viewer with a picture', async () => {
    const { stream, clock } = await openStream({ failoverUrls: ['http://b/'] });
    const walk = stream.walk();
    walk.flowing();
    const backup = await walk.failed(walk.current, failure('UPSTREAM_STALLED'), never);
    expect(backup.url).toBe('http://b/');
    const again = walk.failed(backup, refused(), never);
    await clock.advance(1000);
    expect(await again).toMatchObject({ url: 'http://a/1', index: -1 });
  });

  it('asks a source that broke off once more before the next', async () => {
    const { stream } = await openStream({ failoverUrls: ['http://b/'] });
    const walk = stream.walk();
    walk.flowing();
    const same = await walk.failed(walk.current, failure('UPSTREAM_ENDED'), never);
    expect(same.url).toBe('http://a/1');
    walk.flowing();
    expect((await walk.failed(same, failure('UPSTREAM_ENDED'), never)).url).toBe('http://b/');
  });

  it('does not refund the budget for a short good spell, but for a long one', async () => {
    const { stream, clock } = await openStream({ failoverUrls: ['http://b/'] });
    const walk = stream.walk();
    walk.flowing();
    const same = await walk.failed(walk.current, failure('UPSTREAM_ENDED'), never);
    walk.flowing();
    await clock.advance(10_000);
    expect((await walk.failed(same, failure('UPSTREAM_ENDED'), never)).url).toBe('http://a/1');
  });

  it('retries the only source with pauses, then fails with what the source did', async () => {
    const { stream, clock, state } = await openStream({});
    const walk = stream.walk();
    let source = walk.current;
    for (let n = 0; n < 3; n += 1) {
      const next = walk.failed(source, failure('UPSTREAM_STATUS', 503), never);
      await clock.advance(1000);
      source = await next;
    }
    await expect(walk.failed(source, failure('UPSTREAM_STATUS', 503), never)).rejects.toMatchObject(
      {
        code: 'UPSTREAM_STATUS',
        details: { status: 503 },
      },
    );
    expect(state.told).toEqual(['stream_started', 'stream_failed']);
  });

  it('moves the stream on once, however many readers meet the same failure', async () => {
    const { stream, registry, id } = await openStream({ failoverUrls: ['http://b/', 'http://c/'] });
    const walks = [stream.walk(), stream.walk(), stream.walk()];
    const next = await Promise.all(
      walks.map((walk) => walk.failed(walk.current, refused(), never)),
    );
    expect(next.map(({ url }) => url)).toEqual(['http://b/', 'http://b/', 'http://b/']);
    expect(await registry.get(id)).toMatchObject({ failoverIndex: 0, failoverAttempts: 1 });
  });

  it('answers all requests that share a walk with one decision', async () => {
    const { stream, registry, id } = await openStream({ failoverUrls: ['http://b/', 'http://c/'] });
    const walk = stream.walk();
    const source = walk.current;
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => walk.failed(source, refused(), never)),
    );
    expect(new Set(answers.map(({ url }) => url))).toEqual(new Set(['http://b/']));
    expect(await walk.failed(source, refused(), never)).toMatchObject({ url: 'http://b/' });
    expect((await registry.get(id)).failoverAttempts).toBe(1);
  });

  it('stops waiting when its reader leaves', async () => {
    const { stream, clock } = await openStream({});
    const leaving = new AbortController();
    const walk = stream.walk();
    const timersBefore = clock.pendingTimers;
    const waiting = walk.failed(walk.current, refused(), leaving.signal);
    leaving.abort();
    await expect(waiting).rejects.toBe(leaving.signal.reason);
    expect(clock.pendingTimers).toBe(timersBefore);
  });
});

describe('a walk with a resolver', () => {
  it('asks with what the app needs to know, counting the primary as 0', async () => {
    const resolver = new FakeResolver('http://b/', 'http://c/');
    const { stream, clock } = await openStream(
      { failoverResolverUrl: 'http://app/r', metadata: { id: '7' } },
      resolver,
    );
    const walk = stream.walk();
    const second = await walk.failed(walk.current, failure('UPSTREAM_STATUS', 403), never);
    const third = walk.failed(second, refused(), never);
    await clock.advance(1000);
    await third;
    expect(resolver.questions).toEqual([
      {
        currentUrl: 'http://a/1',
        metadata: { id: '7' },
        currentFailoverIndex: 0,
        statusCode: 403,
        reason: 'stream_error_HTTPStatusError_after_retries',
      },
      {
        currentUrl: 'http://b/',
        metadata: { id: '7' },
        currentFailoverIndex: 1,
        statusCode: null,
        reason: 'stream_error_ConnectError_after_retries',
      },
    ]);
  });

  it.each([
    ['has no more', []],
    ['answers with no URL that can be a source', ['file:///etc/passwd']],
    ['does not answer', [new UpstreamError('UPSTREAM_TIMEOUT', { message: 'late' })]],
  ] as const)('gives up when the app %s', async (_name, answers) => {
    const { stream, state } = await openStream(
      { failoverResolverUrl: 'http://app/r' },
      new FakeResolver(...answers),
    );
    const walk = stream.walk();
    await expect(walk.failed(walk.current, refused(), never)).rejects.toBeInstanceOf(AppError);
    expect(state.told.at(-1)).toBe('stream_failed');
  });

  it('asks again only after pauses that grow, and not beyond the outage limit', async () => {
    const answers = Array.from({ length: 50 }, (_, n) => `http://b/${n}`);
    const resolver = new FakeResolver(...answers);
    const { stream, clock } = await openStream({ failoverResolverUrl: 'http://app/r' }, resolver);
    const walk = stream.walk();
    const askedAt: number[] = [];
    const startMs = clock.nowMs();
    const tryAll = async (): Promise<void> => {
      for (let source = walk.current; ;) {
        source = await walk.failed(source, refused(), never);
        askedAt.push(clock.nowMs() - startMs);
      }
    };
    const trying = tryAll().catch((error: unknown) => error);
    await clock.advance(60_000);
    expect(await trying).toMatchObject({ code: 'ALL_SOURCES_FAILED' });
    expect(askedAt).toEqual([0, 1000, 3000, 7000, 15_000, 25_000, 35_000]);
  });
});
