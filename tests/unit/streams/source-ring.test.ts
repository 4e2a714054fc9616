import { describe, expect, it } from 'vitest';
import { UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { ErrorCode } from '#kernel/error-codes';
import type { Source, SourceWalk } from '#streams';
import { FakeResolver } from '../../support/fake-state.ts';
import { startRegistry, streamInput, VIEWER } from '../../support/stream-bench.ts';
import type { BenchOptions } from '../../support/stream-bench.ts';

const never = new AbortController().signal;
const any = (): boolean => true;
const failure = (code: ErrorCode = 'UPSTREAM_REFUSED'): AppError =>
  new UpstreamError(code, { message: 'no' });

async function openStream(
  over: Parameters<typeof streamInput>[1] = { failoverUrls: ['http://b/'] },
  resolver = new FakeResolver(),
  options: BenchOptions = {},
) {
  const bench = await startRegistry(resolver, options);
  const { snapshot } = await bench.registry.create(streamInput('http://a/', over));
  const { id } = snapshot.definition;
  const stream = await bench.registry.open(id);
  stream.join(VIEWER, 0);
  return { ...bench, stream, id };
}

/** A walk with a picture from the stream's source. */
async function watching(stream: { walk(): SourceWalk }): Promise<SourceWalk> {
  const walk = stream.walk();
  await walk.ready(never);
  walk.flowing();
  return walk;
}

/** What a promise has come to by now, without waiting for it. */
async function outcomeOf(promise: Promise<Source>): Promise<string> {
  const pending = new Promise<string>((resolve) => setImmediate(() => resolve('waiting')));
  return Promise.race([promise.then(({ url }) => url), pending]);
}

describe('a ring whose sources all cool', () => {
  it('is waited for until the first is ready, and longer each time', async () => {
    const { stream, clock } = await openStream();
    const walk = await watching(stream);
    const b = await walk.failed(walk.current, failure('UPSTREAM_STALLED'), never);
    const round2 = walk.failed(b, failure(), never);
    await clock.advance(999);
    expect(await outcomeOf(round2)).toBe('waiting');
    await clock.advance(1);
    const a = await round2;
    expect(a.url).toBe('http://a/');
    const b2 = walk.failed(a, failure(), never);
    await clock.advance(1000);
    const a2 = walk.failed(await b2, failure(), never);
    expect((await b2).url).toBe('http://b/');
    await clock.advance(999);
    expect(await outcomeOf(a2)).toBe('waiting');
    await clock.advance(1);
    expect((await a2).url).toBe('http://a/');
  });

  it('is left at once for a source that an app moves the stream to', async () => {
    const { stream, clock, registry, id } = await openStream();
    const walk = await watching(stream);
    const b = await walk.failed(walk.current, failure('UPSTREAM_STALLED'), never);
    const waiting = walk.failed(b, failure(), never);
    await clock.advance(10);
    expect(await outcomeOf(waiting)).toBe('waiting');
    await registry.failover(id);
    expect((await waiting).url).toBe('http://a/');
  });

  it('leaves out what cools and takes what does not', async () => {
    const { stream } = await openStream({ failoverUrls: ['http://b/', 'http://c/'] });
    const walk = await watching(stream);
    const b = await walk.failed(walk.current, failure('UPSTREAM_WRONG_TYPE'), never);
    walk.flowing();
    const again = await walk.failed(b, failure('UPSTREAM_ENDED'), never);
    expect(again.url).toBe('http://b/');
    expect((await walk.failed(again, failure(), never)).url).toBe('http://c/');
  });
});

/** Two readers of the one source, after it has failed and one of them tries it again. */
async function coolingOnly() {
  const bench = await openStream({});
  const [first, second] = [await watching(bench.stream), await watching(bench.stream)];
  const firstTry = first.failed(first.current, failure('UPSTREAM_STALLED'), never);
  const secondTry = second.failed(second.current, failure('UPSTREAM_STALLED'), never);
  await bench.clock.advance(1000);
  return { ...bench, first, second, firstTry, secondTry };
}

describe('a source that had to cool', () => {
  it('is tried by one reader, and the others follow when it gives media', async () => {
    const { first, firstTry, secondTry } = await coolingOnly();
    await firstTry;
    expect(await outcomeOf(secondTry)).toBe('waiting');
    first.flowing();
    expect((await secondTry).url).toBe('http://a/');
  });

  it('fails for all when it fails for the one that tried', async () => {
    const { clock, first, firstTry, secondTry } = await coolingOnly();
    const next = first.failed(await firstTry, failure(), never);
    await clock.advance(999);
    expect([await outcomeOf(next), await outcomeOf(secondTry)]).toEqual(['waiting', 'waiting']);
    await clock.advance(1);
    const outcomes = [await outcomeOf(next), await outcomeOf(secondTry)];
    expect(outcomes.toSorted()).toEqual(['http://a/', 'waiting']);
  });

  it('is tried by another reader when the first has left', async () => {
    const { first, firstTry, secondTry } = await coolingOnly();
    await firstTry;
    first.close();
    expect((await secondTry).url).toBe('http://a/');
  });

  it('is tried by another reader when nothing is heard of the first for a minute', async () => {
    const { clock, firstTry, secondTry } = await coolingOnly();
    await firstTry;
    await clock.advance(60_000);
    expect((await secondTry).url).toBe('http://a/');
  });

  it('is awaited by who comes new, too', async () => {
    const { stream, first, firstTry } = await coolingOnly();
    await firstTry;
    const late = stream.walk().ready(never);
    expect(await outcomeOf(late)).toBe('waiting');
    first.flowing();
    expect((await late).url).toBe('http://a/');
  });
});

describe('a source kept ready beside the one in use', () => {
  it('takes over at once, without asking the broken one again', async () => {
    const { stream } = await openStream();
    const walk = await watching(stream);
    const spare = walk.spare(any);
    expect(spare?.source.url).toBe('http://b/');
    spare?.flowing();
    const next = await walk.failed(walk.current, failure('UPSTREAM_ENDED'), never);
    expect(next.url).toBe('http://b/');
  });

  it('is none while it gives no media', async () => {
    const { stream } = await openStream();
    const walk = await watching(stream);
    walk.spare(any);
    const next = await walk.failed(walk.current, failure('UPSTREAM_ENDED'), never);
    expect(next.url).toBe('http://a/');
  });

  it.each([
    ['with one source only', {}],
    ['with a resolver', { failoverResolverUrl: 'http://app/' }],
    ['when the other source is the same', { failoverUrls: ['http://a/'] }],
  ])('does not exist %s', async (_name, over) => {
    const { stream } = await openStream(over);
    expect((await watching(stream)).spare(any)).toBeUndefined();
  });

  it('that fails cools, and the stream stays where it is', async () => {
    const { stream, clock, registry, id } = await openStream();
    const walk = await watching(stream);
    walk.spare(any)?.failed(failure());
    expect(walk.spare(any)).toBeUndefined();
    expect(await registry.get(id)).toMatchObject({ failoverAttempts: 0, errorCount: 1 });
    await clock.advance(1000);
    expect(walk.spare(any)?.source.url).toBe('http://b/');
  });

  it('is one at a time, and after a cooldown one for all readers', async () => {
    const { stream, clock } = await openStream();
    const [first, second] = [await watching(stream), await watching(stream)];
    first.spare(any)?.failed(failure());
    await clock.advance(1000);
    const held = first.spare(any);
    expect(held).toBeDefined();
    expect([first.spare(any), second.spare(any)]).toEqual([undefined, undefined]);
    held?.close();
    expect(second.spare(any)).toBeDefined();
  });
});

describe('the primary', () => {
  it('is not tried again unless that is set', async () => {
    const { stream, clock } = await openStream();
    const walk = await watching(stream);
    await walk.failed(walk.current, failure(), never);
    walk.flowing();
    await clock.advance(3_600_000);
    expect([walk.canReturn, walk.isReturnDue, walk.returning(any)]).toEqual([
      false,
      false,
      undefined,
    ]);
  });

  it('is returned to when it is time, by one reader for all', async () => {
    const options = { failbackAfterMs: 60_000 };
    const { stream, clock, registry, id } = await openStream(undefined, undefined, options);
    const [walk, other] = [await watching(stream), await watching(stream)];
    const moves: string[] = [];
    other.onMoved(({ url }) => moves.push(url));
    await walk.failed(walk.current, failure(), never);
    walk.flowing();
    await clock.advance(59_999);
    expect(walk.isReturnDue).toBe(false);
    await clock.advance(1);
    const trial = walk.returning(any);
    expect(trial?.source).toMatchObject({ url: 'http://a/', index: -1 });
    expect([other.isReturnDue, other.returning(any)]).toEqual([false, undefined]);
    trial?.flowing();
    walk.returnToPrimary();
    expect(moves).toEqual(['http://a/']);
    expect(await registry.get(id)).toMatchObject({ failoverIndex: -1, failoverAttempts: 2 });
    expect((await registry.get(id)).switches.at(-1)).toMatchObject({ reason: 'failback' });
  });
});

describe('an outage in which media comes now and then', () => {
  it('of the only source is as long as the time without media', async () => {
    const options = { outageLimitMs: 3000 };
    const { stream, clock, state } = await openStream({ failoverUrls: [] }, undefined, options);
    const walk = await watching(stream);
    let source = walk.current;
    for (let spell = 0; spell < 3; spell += 1) {
      await clock.advance(5000);
      const next = walk.failed(source, failure('UPSTREAM_ENDED'), never);
      await clock.advance(1000);
      source = await next;
      walk.flowing();
    }
    expect(state.told).not.toContain('stream_failed');
  });

  it('is as long as the time without media, and every source is tried before it counts', async () => {
    const { stream, clock, state } = await openStream(undefined, undefined, {
      outageLimitMs: 3000,
    });
    const walk = await watching(stream);
    let source = walk.current;
    for (let spell = 0; spell < 20; spell += 1) {
      await clock.advance(5000);
      const next = walk.failed(source, failure('UPSTREAM_STALLED'), never);
      await clock.advance(5000);
      source = await next;
      walk.flowing();
    }
    expect(state.told).not.toContain('stream_failed');
  });
});

describe('a live picture with a resolver', () => {
  it('waits for its source when the app names no other', async () => {
    const { stream, clock, state } = await openStream({ failoverResolverUrl: 'http://app/' });
    const walk = await watching(stream);
    const next = walk.failed(walk.current, failure(), never);
    expect(await outcomeOf(next)).toBe('waiting');
    await clock.advance(1000);
    expect((await next).url).toBe('http://a/');
    expect(state.told).not.toContain('stream_failed');
  });
});
