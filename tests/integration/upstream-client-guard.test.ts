import { once } from 'node:events';
import { createServer, get, type Agent } from 'node:http';
import type { AddressInfo } from 'node:net';
import axios from 'axios';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { guardedAgents } from '#adapters/http/guarded-lookup';
import { toUpstreamFailure } from '#adapters/http/upstream-failure';
import { codeOf } from '#kernel/app-error';

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://local');
  const to = pathname === '/circle' ? '/circle' : searchParams.get('to');
  if (to === null) return response.end('here');
  return response.writeHead(302, { location: to }).end();
});
let base = '';

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

async function codeVia(url: string, allowPrivate: boolean): Promise<string> {
  const guarded = guardedAgents({ allowPrivate, verifyTls: true });
  try {
    const answer = await axios.get(url, { ...guarded.agents, proxy: false, timeout: 3_000 });
    return String(answer.data);
  } catch (error) {
    return toUpstreamFailure(error).code;
  } finally {
    guarded.close();
  }
}

describe('guarded agents', () => {
  it('reach private addresses while they are allowed', async () => {
    expect(await codeVia(base, true)).toBe('here');
    expect(await codeVia(base.replace('127.0.0.1', 'localhost'), true)).toBe('here');
  });

  it.each([
    ['a literal address', (url: string) => url],
    ['a name', (url: string) => url.replace('127.0.0.1', 'localhost')],
    ['a decimal address', (url: string) => url.replace('127.0.0.1', '2130706433')],
    ['a mapped address', (url: string) => url.replace('127.0.0.1', '[::ffff:127.0.0.1]')],
    ['https', (url: string) => url.replace('http:', 'https:')],
  ])('refuse private addresses written as %s once they are not', async (_form, of) => {
    expect(await codeVia(of(base), false)).toBe('UPSTREAM_TARGET_FORBIDDEN');
  });

  it('refuse the metadata address on the second hop', async () => {
    const url = `${base}/?to=${encodeURIComponent('http://169.254.169.254/latest')}`;
    expect(await codeVia(url, true)).toBe('UPSTREAM_TARGET_FORBIDDEN');
  });

  it('tell a redirect without end and a name that is not there apart', async () => {
    expect(await codeVia(`${base}/circle`, true)).toBe('UPSTREAM_REDIRECT_LOOP');
    expect(await codeVia('http://nowhere.invalid/', true)).toBe('UPSTREAM_DNS');
  });

  it('fail a plain request by its error event, not by a throw', async () => {
    const guarded = guardedAgents({ allowPrivate: true, verifyTls: true });
    const agent: Agent = guarded.agents.httpAgent;
    const [error] = await once(get({ host: '169.254.169.254', agent }), 'error').catch(
      (thrown: unknown) => [thrown],
    );
    expect(codeOf(error)).toBe('UPSTREAM_TARGET_FORBIDDEN');
  });
});
