import { describe, expect, it } from 'vitest';
import { AxiosFailoverResolver } from '#adapters/http/failover-resolver';
import { AxiosWebhookClient } from '#adapters/http/webhook-client';
import { answer, startFakeProvider } from '../support/fake-provider.ts';
import type { FakeProvider } from '../support/fake-provider.ts';

const GUARD = { allowPrivate: true, verifyTls: true };
const never = new AbortController().signal;

async function start() {
  const provider = await startFakeProvider({});
  const client = new AxiosWebhookClient(GUARD);
  const post = (url: string, options: { timeoutMs?: number; signal?: AbortSignal } = {}) =>
    client.post({
      url,
      headers: { 'Content-Type': 'application/json', 'X-Token': 'geheim' },
      body: '{"a": "ü"}',
      timeoutMs: options.timeoutMs ?? 2_000,
      signal: options.signal ?? never,
    });
  return {
    provider,
    post,
    async [Symbol.asyncDispose]() {
      client.close();
      await provider[Symbol.asyncDispose]();
    },
  };
}

/** Never answers. */
const silence = (provider: FakeProvider, path: string): void =>
  provider.setRoute(
    path,
    answer(() => new Promise(() => {})),
  );

describe('the webhook client', () => {
  it('sends the body and the headers as they stand', async () => {
    await using test = await start();
    test.provider.setRoute(
      '/hook',
      answer(async () => ({ status: 202 })),
    );
    expect(await test.post(test.provider.url('/hook?token=a%2Fb&x'))).toEqual({ status: 202 });
    const [request] = test.provider.requests;
    expect(request?.body).toBe('{"a": "ü"}');
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': '11',
      'x-token': 'geheim',
    });
    expect(request?.url).toBe('/hook?token=a%2Fb&x');
  });

  it.each([204, 302, 404, 410, 500])(
    'takes %i for an answer, and follows nothing',
    async (status) => {
      await using test = await start();
      test.provider.setRoute(
        '/hook',
        answer(async () => ({ status, headers: { location: test.provider.url('/other') } })),
      );
      expect(await test.post(test.provider.url('/hook'))).toEqual({ status });
      expect(test.provider.requests).toHaveLength(1);
    },
  );

  it('gives up at its deadline', async () => {
    await using test = await start();
    silence(test.provider, '/hook');
    const posting = test.post(test.provider.url('/hook'), { timeoutMs: 100 });
    await expect(posting).rejects.toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
  });

  it("rejects with the signal's reason when it aborts", async () => {
    await using test = await start();
    silence(test.provider, '/hook');
    const aborter = new AbortController();
    const posting = test.post(test.provider.url('/hook'), { signal: aborter.signal });
    await test.provider.until(() => test.provider.requests.length === 1);
    const reason = new Error('closing');
    aborter.abort(reason);
    await expect(posting).rejects.toBe(reason);
  });

  it('does not wait for the end of an endless answer', async () => {
    await using test = await start();
    const endless = Buffer.alloc(1024 * 1024);
    test.provider.setRoute(
      '/hook',
      answer(async () => ({ status: 200, body: endless })),
    );
    expect(await test.post(test.provider.url('/hook'))).toEqual({ status: 200 });
  });

  it('says in a word why nobody answered, and nothing of the address', async () => {
    await using test = await start();
    const posting = test.post('http://user:pass@127.0.0.1:9/geheim');
    await expect(posting).rejects.toMatchObject({ code: 'UPSTREAM_REFUSED' });
    await expect(posting).rejects.not.toMatchObject({ message: expect.stringContaining('127') });
  });

  it.each(['http://169.254.169.254/latest/', 'http://[fe80::1]/'])(
    'does not go to %s',
    async (url) => {
      await using test = await start();
      await expect(test.post(url)).rejects.toMatchObject({ code: 'UPSTREAM_TARGET_FORBIDDEN' });
    },
  );
});

const QUESTION = {
  currentUrl: 'http://a.example/1.ts',
  metadata: { id: '7', playlist_uuid: 'p-1' },
  currentFailoverIndex: 0,
  statusCode: 503,
  reason: 'manual',
};

async function startResolver(reply: () => Promise<{ status?: number; body?: string }>) {
  const provider = await startFakeProvider({});
  provider.setRoute('/resolve', answer(reply));
  const resolver = new AxiosFailoverResolver(GUARD);
  return {
    provider,
    ask: (signal = never) =>
      resolver.next(provider.url('/resolve?api_token=a%2Fb&&c=x+y'), QUESTION, signal),
    async [Symbol.asyncDispose]() {
      resolver.close();
      await provider[Symbol.asyncDispose]();
    },
  };
}

describe('the failover resolver', () => {
  it('asks as m3u-proxy does and keeps the query as it was posted', async () => {
    const next = 'http://b.example/1.ts?token=%2F';
    await using test = await startResolver(async () => ({
      body: JSON.stringify({ next_url: next, error: 'ignored' }),
    }));
    expect(await test.ask()).toBe(next);
    const [request] = test.provider.requests;
    expect(request?.method).toBe('POST');
    expect(request?.url).toBe('/resolve?api_token=a%2Fb&&c=x+y');
    expect(request?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(request?.body ?? '')).toEqual({
      current_url: 'http://a.example/1.ts',
      metadata: { id: '7', playlist_uuid: 'p-1' },
      current_failover_index: 0,
      status_code: 503,
      reason: 'manual',
    });
  });

  it.each(['{"next_url": null}', '{}', '{"next_url": ""}', '{"next_url": 5}', 'null', '[]'])(
    'has no next source when the answer is %s',
    async (body) => {
      await using test = await startResolver(async () => ({ body }));
      expect(await test.ask()).toBeUndefined();
    },
  );

  it.each([
    [{ status: 500 }, 'UPSTREAM_STATUS'],
    [{ status: 400, body: '{"next_url": "http://b.example/"}' }, 'UPSTREAM_STATUS'],
    [{ status: 302 }, 'UPSTREAM_STATUS'],
    [{ body: '<html>' }, 'UPSTREAM_PROTOCOL'],
    [{ body: `{"next_url": "${'x'.repeat(70_000)}"}` }, 'UPSTREAM_RESET'],
  ])('fails when the answer is %o', async (reply, code) => {
    await using test = await startResolver(async () => reply);
    await expect(test.ask()).rejects.toMatchObject({ code });
  });

  it("rejects with the signal's reason when it aborts", async () => {
    await using test = await startResolver(() => new Promise(() => {}));
    const aborter = new AbortController();
    const asking = test.ask(aborter.signal);
    await test.provider.until(() => test.provider.requests.length === 1);
    const reason = new Error('viewer left');
    aborter.abort(reason);
    await expect(asking).rejects.toBe(reason);
  });
});
