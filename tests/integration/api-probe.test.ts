import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { AxiosProbe } from '#adapters/http/probe';
import type { ProbeOptions } from '#adapters/http/probe';
import { startApi } from '../support/api-under-test.ts';

const OPEN: ProbeOptions = { allowPrivate: true, verifyTls: true, timeoutMs: 300 };

async function startTarget(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function startProbing(options: Partial<ProbeOptions> = {}) {
  const probe = new AxiosProbe({ ...OPEN, ...options });
  const api = await startApi({ probe });
  return {
    test: (url: unknown) => api.call('POST', '/test-connection', { json: { url } }),
    async [Symbol.asyncDispose]() {
      probe.close();
      await api[Symbol.asyncDispose]();
    },
  };
}

describe('POST /test-connection', () => {
  it('reaches a URL, without its trailing slashes', async () => {
    const asked: (string | undefined)[] = [];
    await using target = await startTarget((req, res) => {
      asked.push(req.url);
      res.end('up');
    });
    await using probing = await startProbing();
    const { status, body } = await probing.test(`${target.url}/up//`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ success: true, status_code: 200, url_tested: `${target.url}/up` });
    expect(asked).toEqual(['/up']);
  });

  it.each([204, 302, 404, 500])('counts status %i as no success', async (code) => {
    await using target = await startTarget((_req, res) => {
      res.writeHead(code, { Location: 'http://169.254.169.254/' }).end();
    });
    await using probing = await startProbing();
    const { status, body } = await probing.test(target.url);
    expect(status).toBe(200);
    expect(body).toMatchObject({ success: false, status_code: code });
  });

  it('never repeats what the target says', async () => {
    await using target = await startTarget((_req, res) => {
      res.writeHead(500, 'secret reason', { 'X-Secret': 'secret header' }).end('secret body');
    });
    await using probing = await startProbing();
    expect((await probing.test(target.url)).text).not.toContain('secret');
  });

  it('gives up on a target that does not answer', async () => {
    await using target = await startTarget(() => {});
    await using probing = await startProbing();
    const { body } = await probing.test(target.url);
    expect(body).toMatchObject({ success: false, message: 'The URL did not answer in time.' });
  });

  it('does not wait for the end of an endless body', async () => {
    await using target = await startTarget((_req, res) => {
      res.write('x'.repeat(100_000));
    });
    await using probing = await startProbing();
    expect((await probing.test(target.url)).body.success).toBe(true);
  });

  it.each([
    ['a refused connection', 'http://127.0.0.1:9', 'The connection was refused.'],
    ['an unknown name', 'http://nowhere.invalid', /could not be resolved|refused/],
    ['another scheme', 'ftp://127.0.0.1/x', 'This is not an http or https URL.'],
    ['no URL', 'nonsense', 'This is not an http or https URL.'],
    ['nothing', '', 'This is not an http or https URL.'],
    ['a metadata service', 'http://169.254.169.254/latest', /may not be reached/],
  ])('answers 200 and says no for %s', async (_what, url, message) => {
    await using probing = await startProbing({ timeoutMs: 3_000 });
    const { status, body } = await probing.test(url);
    expect(status).toBe(200);
    expect(body).toMatchObject({ success: false, message: expect.stringMatching(message) });
    expect(body).not.toHaveProperty('error');
  });

  it('keeps to the address policy', async () => {
    await using target = await startTarget((_req, res) => res.end());
    await using probing = await startProbing({ allowPrivate: false });
    expect((await probing.test(target.url)).body.success).toBe(false);
  });

  it('needs a URL to be given, as text', async () => {
    await using probing = await startProbing();
    expect((await probing.test(undefined)).status).toBe(422);
    expect((await probing.test(5)).status).toBe(422);
  });
});
