import { describe, expect, it } from 'vitest';
import { startApi } from '../support/api-under-test.ts';

const HOOK = 'http://127.0.0.1:18111/hook?api_token=t';
const ALL = [
  'stream_started',
  'stream_stopped',
  'stream_failed',
  'client_connected',
  'client_disconnected',
  'failover_triggered',
  'slate_started',
  'slate_ended',
  'transcode_fallback',
];

const inQuery = (path: string, url: string): string =>
  `${path}?webhook_url=${encodeURIComponent(url)}`;

describe('POST /webhooks', () => {
  it('registers an endpoint with m3u-proxy’s defaults', async () => {
    await using api = await startApi();
    const { body } = await api.call('POST', '/webhooks', {
      json: { url: 'http://127.0.0.1:18111' },
    });
    expect(body).toMatchObject({ webhook_url: 'http://127.0.0.1:18111/', events: ALL });
    const { body: listed } = await api.call('GET', '/webhooks');
    expect(listed.webhooks).toEqual([
      {
        url: 'http://127.0.0.1:18111/',
        events: ALL,
        timeout: 10,
        retry_attempts: 3,
        signed: false,
      },
    ]);
  });

  it('takes events of newer versions of m3u-proxy that are never sent here', async () => {
    await using api = await startApi();
    const json = { url: HOOK, events: ['connection_idle_warning', 'stream_started'] };
    const { status, body } = await api.call('POST', '/webhooks', { json });
    expect({ status, events: body.events }).toEqual({ status: 200, events: ['stream_started'] });
  });

  it('registers what m3u-editor asks for, once, however often it asks', async () => {
    await using api = await startApi();
    const json = {
      url: HOOK,
      events: ['client_connected', 'client_disconnected', 'stream_started', 'stream_stopped'],
      timeout: 5,
      retry_attempts: 2,
    };
    await api.call('POST', '/webhooks', { json });
    await api.call('POST', '/webhooks', { json });
    const { body } = await api.call('GET', '/webhooks');
    expect(body.webhooks).toMatchObject([{ url: HOOK, timeout: 5, retry_attempts: 2 }]);
    expect(body.webhooks).toHaveLength(1);
  });

  it('takes an empty list of events, and names each but once', async () => {
    await using api = await startApi();
    const none = await api.call('POST', '/webhooks', { json: { url: HOOK, events: [] } });
    expect(none.body.events).toEqual([]);
    const twice = ['stream_stopped', 'stream_stopped'];
    const once = await api.call('POST', '/webhooks', { json: { url: HOOK, events: twice } });
    expect(once.body.events).toEqual(['stream_stopped']);
  });

  it('shows neither headers nor the secret', async () => {
    await using api = await startApi();
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const json = { url: HOOK, headers: { 'X-Key': 'hidden-value' }, secret };
    await api.call('POST', '/webhooks', { json });
    const { text, body } = await api.call('GET', '/webhooks');
    expect(body.webhooks).toMatchObject([{ signed: true }]);
    expect(text).not.toContain('hidden-value');
    expect(text).not.toContain(secret);
  });

  it.each([
    ['no URL', {}, 'url'],
    ['another scheme', { url: 'ftp://x/y' }, 'url'],
    ['an unknown event', { url: HOOK, events: ['tea_time'] }, 'events'],
    ['no time at all', { url: HOOK, timeout: 0 }, 'timeout'],
    ['a negative number of retries', { url: HOOK, retry_attempts: -1 }, 'retry_attempts'],
    ['a header over two lines', { url: HOOK, headers: { A: 'b\r\nC: d' } }, 'headers'],
    ['a number as a header', { url: HOOK, headers: { A: 1 } }, 'headers'],
    ['a secret that is none', { url: HOOK, secret: 'password' }, 'secret'],
  ])('refuses %s', async (_what, json, field) => {
    await using api = await startApi();
    const { status, body } = await api.call('POST', '/webhooks', { json });
    expect(status).toBe(422);
    expect(body.errors[0].loc[1]).toBe(field);
  });
});

describe('DELETE /webhooks', () => {
  it.each([
    ['the query', (api: Api) => api.call('DELETE', inQuery('/webhooks', HOOK))],
    ['a body', (api: Api) => api.call('DELETE', '/webhooks', { json: { webhook_url: HOOK } })],
  ])('takes the URL from %s', async (_where, remove) => {
    await using api = await startApi();
    await api.call('POST', '/webhooks', { json: { url: HOOK } });
    expect((await remove(api)).status).toBe(200);
    expect((await api.call('GET', '/webhooks')).body.webhooks).toEqual([]);
    expect(await remove(api)).toMatchObject({ status: 404, body: { detail: 'Webhook not found' } });
  });

  it('refuses a call that names none', async () => {
    await using api = await startApi();
    expect((await api.call('DELETE', '/webhooks')).status).toBe(422);
    expect((await api.call('DELETE', '/webhooks', { json: [] })).status).toBe(422);
    expect((await api.call('DELETE', '/webhooks', { json: { webhook_url: 5 } })).status).toBe(422);
  });

  it('knows no endpoint by what is no URL', async () => {
    await using api = await startApi();
    expect((await api.call('DELETE', '/webhooks?webhook_url=nonsense')).status).toBe(404);
  });
});

describe('POST /webhooks/test', () => {
  it('says whether the event arrived', async () => {
    await using api = await startApi();
    await api.call('POST', '/webhooks', { json: { url: HOOK } });
    const good = await api.call('POST', inQuery('/webhooks/test', HOOK));
    expect(good.body).toMatchObject({ delivered: true, status: 200 });
    expect(good.body.event_id).toBeTypeOf('string');
    api.webhooks.outcome = { delivered: false, status: null };
    const bad = await api.call('POST', inQuery('/webhooks/test', HOOK));
    expect(bad).toMatchObject({ status: 200, body: { delivered: false, status: null } });
  });

  it('is 404 for an endpoint that nobody registered', async () => {
    await using api = await startApi();
    expect((await api.call('POST', inQuery('/webhooks/test', HOOK))).status).toBe(404);
    expect((await api.call('POST', '/webhooks/test')).status).toBe(422);
  });
});

type Api = Awaited<ReturnType<typeof startApi>>;
