import { describe, expect, it } from 'vitest';
import type { UpstreamResponse } from '#upstream';
import { SegmentStore } from '#segments';
import type { SegmentAsk, SegmentFiles } from '#segments';
import { TestClock, settle } from '../../support/test-clock.ts';
import { ScriptedResponse, bytes, end, fail } from './scripted-response.ts';

const never = new AbortController().signal;

/** Files in memory; `isBroken` makes every one of them unreadable. */
class FakeFiles implements SegmentFiles {
  readonly files = new Map<string, Buffer>();
  isBroken = false;

  async write(name: string, content: Buffer): Promise<void> {
    if (this.isBroken) throw new Error('ENOSPC');
    this.files.set(name, Buffer.from(content));
  }
  async read(name: string): Promise<Buffer> {
    const found = this.files.get(name);
    if (!found || this.isBroken) throw new Error('ENOENT');
    return found;
  }
  async remove(name: string): Promise<void> {
    this.files.delete(name);
  }
}

function start({ memoryBytes = 1000, diskBytes = 0 } = {}) {
  const clock = new TestClock();
  const files = new FakeFiles();
  const disk = diskBytes > 0 ? { files, limitBytes: diskBytes } : undefined;
  const store = new SegmentStore({ memoryBytes, disk, clock, timers: clock });
  const asked: (string | undefined)[] = [];
  const wish = (
    resource: string,
    answers: readonly UpstreamResponse[],
    over: Partial<SegmentAsk> = {},
  ): SegmentAsk => {
    const left = [...answers];
    return {
      resource,
      keepMs: 10_000,
      stallMs: 1000,
      open: async (range) => {
        asked.push(range);
        const next = left.shift();
        if (!next) throw new Error('Refused.');
        return next;
      },
      ...over,
    };
  };
  const read = async (ask: SegmentAsk): Promise<string | undefined> => {
    const opened = await store.open(ask, never);
    try {
      const body = await opened.read(10_000, never);
      return `${opened.origin} ${String(body)}`;
    } finally {
      opened.close();
      await settle();
    }
  };
  return { clock, files, store, asked, wish, read };
}

const whole = (text: string, headers: Record<string, string> = {}): ScriptedResponse =>
  new ScriptedResponse([bytes(text), end], {
    headers: { 'content-length': String(text.length), ...headers },
  });

describe('SegmentStore', () => {
  it('asks once for all who ask at the same time, and keeps what came', async () => {
    const { read, wish, asked } = start();
    const ask = wish('a', [whole('one')]);
    expect(await Promise.all([read(ask), read(ask)])).toEqual(['source one', 'shared one']);
    expect([await read(ask), asked.length]).toEqual(['memory one', 1]);
  });

  it('forgets what is past its time, and what its stream was removed with', async () => {
    const { read, wish, clock, store } = start();
    await read(wish('a 1', [whole('one')]));
    await read(wish('b 1', [whole('two')], { keepMs: 60_000 }));
    await clock.advance(10_001);
    expect([store.has({ resource: 'a 1' }), store.has({ resource: 'b 1' })]).toEqual([false, true]);
    store.forget((resource) => resource.startsWith('b '));
    expect(store.snapshot).toMatchObject({ memoryBytes: 0, memorySegments: 0, fetches: 0 });
  });

  it('lets go first of what was not asked for longest', async () => {
    const { read, wish, store } = start({ memoryBytes: 100 });
    for (const name of ['a', 'b']) await read(wish(name, [whole(name.repeat(40))]));
    await read(wish('a', []));
    await read(wish('c', [whole('c'.repeat(40))]));
    expect(['a', 'b', 'c'].map((resource) => store.has({ resource }))).toEqual([true, false, true]);
    expect(store.snapshot.memoryBytes).toBe(80);
  });

  it('keeps nothing that is not whole', async () => {
    const { read, wish, store, asked } = start({ memoryBytes: 1024 * 1024 });
    const cut = new ScriptedResponse([bytes('ab'), fail], { headers: { 'content-length': '4' } });
    await expect(read(wish('a', [cut]))).rejects.toMatchObject({ code: 'UPSTREAM_RESET' });
    const unframed = new ScriptedResponse([bytes('who knows'), end]);
    expect(await read(wish('b', [unframed]))).toBe('source who knows');
    expect(['a', 'b'].map((resource) => store.has({ resource }))).toEqual([false, false]);
    expect([asked, store.snapshot.memoryBytes]).toEqual([
      [undefined, 'bytes=2-3', 'bytes=2-3', undefined],
      0,
    ]);
  });

  it('goes on at the next byte when the source breaks off, if it is still the same', async () => {
    const { read, wish, asked } = start();
    const headers = { 'content-length': '8', etag: '"e"' };
    const first = new ScriptedResponse([bytes('abc'), fail], { headers });
    const rest = new ScriptedResponse([bytes('defgh'), end], {
      status: 206,
      headers: { 'content-range': 'bytes 3-7/8', etag: '"e"' },
    });
    expect(await read(wish('a', [first, rest]))).toBe('source abcdefgh');
    expect([asked, first.isClosed, rest.isClosed]).toEqual([[undefined, 'bytes=3-7'], true, true]);
  });

  it.each([
    [
      'another version',
      { status: 206, headers: { 'content-range': 'bytes 3-7/8', etag: '"f"' } },
      'UPSTREAM_RESET',
    ],
    [
      'another place',
      { status: 206, headers: { 'content-range': 'bytes 2-7/8', etag: '"e"' } },
      'UPSTREAM_RESET',
    ],
    ['other bytes', { status: 200, headers: { 'content-length': '8' } }, 'UPSTREAM_CHANGED'],
  ])('gives up when what is left is of %s', async (_name, second, code) => {
    const { read, wish } = start();
    const first = new ScriptedResponse([bytes('abc'), fail], {
      headers: { 'content-length': '8', etag: '"e"' },
    });
    const rest = new ScriptedResponse([bytes('xxxxxxxx'), end], second);
    await expect(read(wish('a', [first, rest]))).rejects.toMatchObject({ code });
  });

  it('asks again when the source is silent for too long', async () => {
    const { store, wish, clock } = start();
    const silent = new ScriptedResponse([bytes('ab')], { headers: { 'content-length': '4' } });
    const rest = new ScriptedResponse([bytes('cd'), end], {
      status: 206,
      headers: { 'content-range': 'bytes 2-3/4' },
    });
    const opened = await store.open(wish('a', [silent, rest]), never);
    const reading = opened.read(100, never);
    await clock.advance(1001);
    expect(String(await reading)).toBe('abcd');
    opened.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends the request of which everybody has let go', async () => {
    const { store, wish } = start();
    const silent = new ScriptedResponse([bytes('ab')], { headers: { 'content-length': '4' } });
    const opened = await store.open(wish('a', [silent]), never);
    opened.close();
    opened.close();
    expect(silent.isClosed).toBe(true);
    expect(store.snapshot).toMatchObject({ fetches: 0, memoryBytes: 0 });
  });

  it('tells what was fetched ahead when somebody asks for it, once', async () => {
    const { store, wish } = start();
    const ahead = await store.open(wish('a', [whole('one')], { isAhead: true }), never);
    await ahead.over(never);
    ahead.close();
    const asks = [store.peek({ resource: 'a' }), store.peek({ resource: 'a' })];
    expect(asks.map((one) => one?.wasAhead)).toEqual([true, false]);
  });
});

describe('SegmentStore with a disk', () => {
  it('finds on disk what memory has let go of', async () => {
    const { read, wish, files, store } = start({ memoryBytes: 100, diskBytes: 1000 });
    for (const name of ['a', 'b', 'c']) await read(wish(name, [whole(name.repeat(40))]));
    expect([files.files.size, store.snapshot.diskBytes]).toEqual([3, 120]);
    expect(await read(wish('a', []))).toBe(`disk ${'a'.repeat(40)}`);
    expect(await read(wish('a', []))).toBe(`memory ${'a'.repeat(40)}`);
  });

  it('stays within its bytes', async () => {
    const { read, wish, files, store } = start({ memoryBytes: 100, diskBytes: 100 });
    for (const name of ['a', 'b', 'c']) await read(wish(name, [whole(name.repeat(40))]));
    expect([[...files.files.keys()], store.snapshot.diskBytes]).toEqual([['2', '3'], 80]);
  });

  it('writes no key, and nothing that its owner wants on no disk', async () => {
    const { read, wish, files } = start({ diskBytes: 1000 });
    await read(wish('key', [whole('0123456789abcdef')], { keepMs: 0 }));
    await read(wish('a', [whole('secret', { 'cache-control': 'private, no-store' })]));
    expect(files.files.size).toBe(0);
  });

  it('does without a disk that is full or broken', async () => {
    const { read, wish, files, store } = start({ memoryBytes: 100, diskBytes: 1000 });
    for (const name of ['a', 'b', 'c']) await read(wish(name, [whole(name.repeat(40))]));
    files.isBroken = true;
    expect(await read(wish('a', [whole('again')]))).toBe('source again');
    await read(wish('d', [whole('d')]));
    expect(store.snapshot.diskBytes).toBe(80);
  });
});
