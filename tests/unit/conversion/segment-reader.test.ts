import { createCipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ivOfSequence } from '#hls';
import { UpstreamError } from '#kernel/app-error';
import type { BodySink, UpstreamClient, UpstreamRequest, UpstreamResponse } from '#upstream';
import { SegmentReader } from '../../../services/conversion/segment-reader.ts';
import type { SegmentToRead } from '../../../services/conversion/segment-reader.ts';
import { TestClock } from '../../support/test-clock.ts';

type Serving = {
  readonly body: Buffer;
  readonly status?: number;
  /** Breaks off after so many bytes, once. */
  cutAt?: number | undefined;
  readonly ignoresRanges?: boolean;
  readonly isSilent?: boolean;
};

/** An origin in memory: whole resources and ranges, in chunks of five bytes. */
class FakeOrigin implements UpstreamClient {
  readonly requests: UpstreamRequest[] = [];
  readonly #resources: Readonly<Record<string, Serving>>;

  constructor(resources: Readonly<Record<string, Serving>>) {
    this.#resources = resources;
  }

  async open(request: UpstreamRequest): Promise<UpstreamResponse> {
    this.requests.push(request);
    const serving = this.#resources[request.url];
    if (serving === undefined) return responseOf(404, () => {});
    const match = /bytes=(\d+)-(\d*)/.exec(request.headers['Range'] ?? '');
    const isPart = match !== null && !serving.ignoresRanges;
    const from = isPart ? Number(match[1]) : 0;
    const to = isPart && match[2] !== '' ? Number(match[2]) + 1 : undefined;
    return responseOf(isPart ? 206 : 200, (sink) => send(sink, serving, [from, to]));
  }
}

function send(
  sink: BodySink,
  serving: Serving,
  [from, to]: readonly [number, number | undefined],
): void {
  if (serving.isSilent) return;
  const { cutAt } = serving;
  serving.cutAt = undefined;
  const bytes = serving.body.subarray(from, to);
  for (let at = 0; at < Math.min(bytes.length, cutAt ?? Infinity); at += 5) {
    sink.chunk(bytes.subarray(at, Math.min(at + 5, cutAt ?? Infinity)));
  }
  if (cutAt === undefined) sink.end();
  else sink.fail(new UpstreamError('UPSTREAM_RESET', { message: 'Reset.' }));
}

const responseOf = (status: number, serve: (sink: BodySink) => void): UpstreamResponse => ({
  status,
  headers: new Map(),
  finalUrl: 'http://h/',
  read: serve,
  resume: () => {},
  close: () => {},
});

const clock = new TestClock();
const never = new AbortController().signal;

async function read(
  origin: FakeOrigin,
  segment: Partial<SegmentToRead> = {},
  reader = readerOf(origin),
): Promise<string> {
  const parts: Buffer[] = [];
  const whole = { url: 'http://h/s', key: undefined, sequence: 7, ...segment };
  await reader.read(whole, (bytes) => void parts.push(Buffer.from(bytes)), never);
  return Buffer.concat(parts).toString();
}

const readerOf = (upstream: UpstreamClient): SegmentReader =>
  new SegmentReader({
    upstream,
    headersFor: () => ({ 'User-Agent': 'ua' }),
    timeouts: { connectMs: 1, headersMs: 1 },
    stallMs: () => 2000,
    timers: clock,
  });

const body = Buffer.from('one two three four five six');
const KEY = Buffer.alloc(16, 3);
const encrypted = (iv: Buffer): Buffer => {
  const cipher = createCipheriv('aes-128-cbc', KEY, iv);
  return Buffer.concat([cipher.update(body), cipher.final()]);
};

describe('reading a segment', () => {
  it('asks with the headers of the source, and leaves no timer behind', async () => {
    const origin = new FakeOrigin({ 'http://h/s': { body } });
    expect(await read(origin)).toBe(body.toString());
    expect(origin.requests.map(({ headers }) => headers)).toEqual([{ 'User-Agent': 'ua' }]);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([false, true])('takes a range, also from who ignores ranges: %s', async (ignores) => {
    const origin = new FakeOrigin({ 'http://h/s': { body, ignoresRanges: ignores } });
    expect(await read(origin, { span: { offset: 4, length: 9 } })).toBe('two three');
    expect(origin.requests[0]?.headers['Range']).toBe('bytes=4-12');
  });

  it.each([false, true])('goes on where it broke off: %s', async (ignores) => {
    const origin = new FakeOrigin({ 'http://h/s': { body, cutAt: 12, ignoresRanges: ignores } });
    expect(await read(origin)).toBe(body.toString());
    expect(origin.requests[1]?.headers['Range']).toBe('bytes=12-');
  });

  it('decrypts, with the number as the vector where none is written', async () => {
    const iv = Buffer.alloc(16, 9);
    const origin = new FakeOrigin({
      'http://h/s': { body: encrypted(ivOfSequence(7)), cutAt: 13 },
      'http://h/t': { body: encrypted(iv) },
      'http://h/k': { body: KEY },
    });
    const reader = readerOf(origin);
    const key = { url: 'http://h/k', iv: undefined };
    expect(await read(origin, { key }, reader)).toBe(body.toString());
    const other = { url: 'http://h/t', key: { ...key, iv } };
    expect(await read(origin, other, reader)).toBe(body.toString());
    expect(origin.requests.filter(({ url }) => url === key.url)).toHaveLength(1);
  });

  it.each([
    ['a key of another length', { 'http://h/k': { body } }, 'UPSTREAM_WRONG_TYPE'],
    ['no key', {}, 'UPSTREAM_STATUS'],
    ['another key', { 'http://h/k': { body: Buffer.alloc(16, 4) } }, 'UPSTREAM_WRONG_TYPE'],
  ])('fails for %s', async (_name, keys, code) => {
    const origin = new FakeOrigin({
      'http://h/s': { body: encrypted(ivOfSequence(7)) },
      ...keys,
    });
    const key = { url: 'http://h/k', iv: undefined };
    await expect(read(origin, { key })).rejects.toMatchObject({ code });
  });

  it('does not ask twice for what is refused', async () => {
    const origin = new FakeOrigin({});
    await expect(read(origin)).rejects.toMatchObject({
      code: 'UPSTREAM_STATUS',
      details: { status: 404, stage: 'segment' },
    });
    expect(origin.requests).toHaveLength(1);
  });

  it('gives a silent body up', async () => {
    const origin = new FakeOrigin({ 'http://h/s': { body, isSilent: true } });
    const reading = read(origin);
    reading.catch(() => {});
    await clock.advance(4000);
    await expect(reading).rejects.toMatchObject({ code: 'UPSTREAM_STALLED' });
    expect(origin.requests).toHaveLength(2);
  });
});
