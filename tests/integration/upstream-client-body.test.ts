import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createUpstreamClient } from '#adapters/http/upstream-client';
import type { BodySink, UpstreamResponse } from '#upstream';
import { selfSignedCertificate } from '../support/certificate.ts';
import { collectBody } from '../support/collect-body.ts';
import { unknownHostUrl } from '../support/fake-provider.ts';
import { RawOrigin, say, sayAndWait, type RawAnswer } from '../support/raw-origin.ts';

const client = createUpstreamClient({ allowPrivate: true, verifyTls: false, maxRedirects: 3 });
const timeouts = { connectMs: 1_000, headersMs: 1_000 };
const never = new AbortController().signal;

const openAt = (url: string): Promise<UpstreamResponse> =>
  client.open({ method: 'GET', url, headers: {}, timeouts }, never);

async function reasonOf(url: string, leave: (abort: () => void) => unknown): Promise<unknown> {
  const leaving = new AbortController();
  const request = { method: 'GET', url, headers: {}, timeouts } as const;
  const opening = client.open(request, leaving.signal).then(
    () => 'answered',
    (error: unknown) => error,
  );
  await leave(() => leaving.abort('the viewer left'));
  return opening;
}

describe('leaving', () => {
  it('before anything was sent opens nothing', async () => {
    await using origin = await RawOrigin.start(() => {});
    const request = { method: 'GET', url: origin.url(), headers: {}, timeouts } as const;
    const opening = client.open(request, AbortSignal.abort('the viewer left'));
    await expect(opening).rejects.toBe('the viewer left');
    expect(origin.requests).toHaveLength(0);
  });

  it('during the name look-up rejects at once', async () => {
    expect(await reasonOf(unknownHostUrl(), (abort) => abort())).toBe('the viewer left');
  });

  it('while waiting for the answer closes the connection at once', async () => {
    await using origin = await RawOrigin.start(() => {});
    const reason = await reasonOf(origin.url(), async (abort) => {
      await expect.poll(() => origin.requests.length).toBe(1);
      abort();
    });
    expect(reason).toBe('the viewer left');
    await expect.poll(() => origin.sockets.size, { timeout: 200 }).toBe(0);
  });

  it('after the head is the business of close, and no call of the sink follows', async () => {
    await using origin = await RawOrigin.start(sayAndWait('HTTP/1.1 200 OK\r\n\r\nhello'));
    const leaving = new AbortController();
    const url = origin.url();
    const response = await client.open(
      { method: 'GET', url, headers: {}, timeouts },
      leaving.signal,
    );
    leaving.abort();
    const calls: string[] = [];
    response.read({
      chunk: (bytes) => calls.push(bytes.toString()) > 0,
      end: () => calls.push('end'),
      fail: () => calls.push('fail'),
    });
    expect(calls).toEqual(['hello']);
    response.close();
    response.close();
    await expect.poll(() => origin.sockets.size, { timeout: 200 }).toBe(0);
    expect(calls).toEqual(['hello']);
  });

  it('with the body unread closes the connection at once', async () => {
    await using origin = await RawOrigin.start(sayAndWait('HTTP/1.1 200 OK\r\n\r\nhello'));
    const request = { method: 'GET', url: origin.url(), headers: {}, timeouts } as const;
    const response = await client.open(request, never);
    response.close();
    await expect.poll(() => origin.sockets.size, { timeout: 200 }).toBe(0);
  });
});

const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');

const BODY = randomBytes(24 * 1024 * 1024);

const withLength: RawAnswer = ({ socket }) => {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n`);
  socket.end(BODY);
};

const inChunks: RawAnswer = ({ socket }) => {
  socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  const sizes = [1, 15, 700, 1316, 8_192, 65_536, 300_000];
  for (let at = 0, turn = 0; at < BODY.length; turn += 1) {
    const part = BODY.subarray(at, at + (sizes[turn % sizes.length] ?? 1));
    socket.write(`${part.length.toString(16)}\r\n`);
    socket.write(part);
    socket.write('\r\n');
    at += part.length;
  }
  socket.end('0\r\n\r\n');
};

const untilClose: RawAnswer = ({ socket }) => {
  socket.write('HTTP/1.1 200 OK\r\n\r\n');
  socket.end(BODY);
};

/** Says stop at every chunk and reads the lent memory only just before it goes on. */
class SlowSink implements BodySink {
  readonly #response: UpstreamResponse;
  readonly #done = Promise.withResolvers<string>();
  readonly #hash = createHash('md5');
  /** Calls that came between a stop and `resume`. */
  callsWhileStopped = 0;
  #isStopped = false;

  constructor(response: UpstreamResponse) {
    this.#response = response;
    response.read(this);
  }

  get md5(): Promise<string> {
    return this.#done.promise;
  }

  chunk(bytes: Buffer): boolean {
    if (this.#isStopped) this.callsWhileStopped += 1;
    this.#isStopped = true;
    setImmediate(() => setImmediate(() => this.#take(bytes)));
    return false;
  }

  end(): void {
    if (this.#isStopped) this.callsWhileStopped += 1;
    this.#done.resolve(this.#hash.digest('hex'));
  }

  fail(error: Error): void {
    this.#done.reject(error);
  }

  #take(bytes: Buffer): void {
    this.#hash.update(bytes);
    this.#isStopped = false;
    this.#response.resume();
  }
}

const firstChunk = (response: UpstreamResponse): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    response.read({
      chunk: (bytes) => {
        resolve(bytes);
        return false;
      },
      end: () => reject(new Error('There was no body.')),
      fail: reject,
    });
  });

describe('lent memory', () => {
  const framings = [
    ['a length', withLength],
    ['chunks', inChunks],
    ['the close', untilClose],
  ] as const;

  it.each(framings)('is read unharmed by a fast sink (%s)', async (_framing, answer) => {
    await using origin = await RawOrigin.start(answer);
    const body = await collectBody(await openAt(origin.url()), false);
    expect(body).toMatchObject({ bytes: BODY.length, md5: md5(BODY), error: undefined });
  });

  it.each(framings)('is left alone while a sink has said stop (%s)', async (_framing, answer) => {
    await using origin = await RawOrigin.start(answer);
    const sink = new SlowSink(await openAt(origin.url()));
    expect(await sink.md5).toBe(md5(BODY));
    expect(sink.callsWhileStopped).toBe(0);
  });

  it.each(framings)('is left alone under TLS too (%s)', async (_framing, answer) => {
    await using origin = await RawOrigin.start(answer, {
      certificate: selfSignedCertificate(),
    });
    const sink = new SlowSink(await openAt(origin.url()));
    expect(await sink.md5).toBe(md5(BODY));
    expect(sink.callsWhileStopped).toBe(0);
  });

  it('is not shared by responses that are read side by side', async () => {
    await using origin = await RawOrigin.start(withLength);
    const responses = await Promise.all(Array.from({ length: 6 }, () => openAt(origin.url())));
    const sums = responses.map((response, at) =>
      at % 2 === 0 ? new SlowSink(response).md5 : collectBody(response, false).then((b) => b.md5),
    );
    expect(new Set(await Promise.all(sums))).toEqual(new Set([md5(BODY)]));
  });

  it('is not reused by others when a response was closed while a sink still held it', async () => {
    await using origin = await RawOrigin.start(withLength);
    const held: { readonly bytes: Buffer; readonly md5: string }[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      const response = await openAt(origin.url());
      const bytes = await firstChunk(response);
      held.push({ bytes, md5: md5(bytes) });
      response.close();
      await collectBody(await openAt(origin.url()), false);
    }
    expect(held.map(({ bytes }) => md5(bytes))).toEqual(held.map((one) => one.md5));
  });
});

describe('a sink that has said stop', () => {
  it('holds the provider back', async () => {
    let written = 0;
    await using origin = await RawOrigin.start(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const more = (): void => {
        while (socket.write(BODY.subarray(0, 65_536), () => (written += 65_536)));
        socket.once('drain', more);
      };
      more();
    });
    const response = await openAt(origin.url());
    response.read({ chunk: () => false, end: () => {}, fail: () => {} });
    let before = -1;
    await expect
      .poll(() => [before, (before = written)].every((one, _at, all) => one === all[1]), {
        interval: 100,
      })
      .toBe(true);
    expect(written).toBeLessThan(16 * 1024 * 1024); // What two socket buffers hold.
    response.close();
  });

  it('hears of the end only when it goes on', async () => {
    await using origin = await RawOrigin.start(say('HTTP/1.1 200 OK\r\n\r\nhello'));
    const response = await openAt(origin.url());
    const calls: string[] = [];
    const ended = Promise.withResolvers<void>();
    response.read({
      chunk: (bytes) => {
        calls.push(bytes.toString());
        return false;
      },
      end: () => ended.resolve(calls.push('end') > 0 ? undefined : undefined),
      fail: (error) => ended.reject(error),
    });
    await expect.poll(() => [...origin.sockets].every((one) => one.writableFinished)).toBe(true);
    expect(calls).toEqual(['hello']);
    response.resume();
    await ended.promise;
    expect(calls).toEqual(['hello', 'end']);
  });

  it('hears of a reset only when it goes on', async () => {
    await using origin = await RawOrigin.start(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello');
    });
    const response = await openAt(origin.url());
    const calls: string[] = [];
    const failed = Promise.withResolvers<string>();
    response.read({
      chunk: (bytes) => calls.push(bytes.toString()) < 0,
      end: () => failed.resolve('ended'),
      fail: ({ code }) => failed.resolve(code),
    });
    for (const socket of origin.sockets) socket.resetAndDestroy();
    await expect.poll(() => origin.sockets.size).toBe(0);
    expect(calls).toEqual(['hello']);
    response.resume();
    expect(await failed.promise).toBe('UPSTREAM_RESET');
  });
});
