import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { AccessControl } from '#access';
import { presentEgress } from '#api/presenters/egress.presenter';
import { startApi } from '../support/api-under-test.ts';
import { accessOptions } from '../support/fake-access.ts';

const URL_A = 'http://example.com/live/a.ts';

async function withStream() {
  const api = await startApi();
  const { body } = await api.call('POST', '/streams', { json: { url: URL_A } });
  return { api, id: String(body.stream_id) };
}

describe('signed links', () => {
  it('are made with their times and both addresses', async () => {
    const { api, id } = await withStream();
    const wish = { start_within: 60, stop_after: 3600 };
    const { status, body } = await api.call('POST', `/streams/${id}/links`, { json: wish });
    expect(status).toBe(200);
    expect(Date.parse(body.stop_at) - Date.parse(body.start_by)).toBe(3_540_000);
    expect(body.query).toMatch(/^start_by=\d+&stop_at=\d+&signature=[\w-]{22}$/);
    expect(body.stream_url).toBe(`/stream/${id}?${body.query}`);
    expect(body.playlist_url).toBe(`/hls/${id}/playlist.m3u8?${body.query}`);
    await api[Symbol.asyncDispose]();
  });

  it('need no body, and a stream that exists', async () => {
    const { api, id } = await withStream();
    const { body } = await api.call('POST', `/streams/${id}/links`);
    expect(body).toMatchObject({ start_by: null, stop_at: null });
    expect((await api.call('POST', `/streams/${'0'.repeat(32)}/links`)).status).toBe(404);
    for (const json of [{ start_within: 0 }, { stop_after: 'soon' }, []]) {
      expect((await api.call('POST', `/streams/${id}/links`, { json })).status).toBe(422);
    }
    await api[Symbol.asyncDispose]();
  });
});

describe('stream keys', () => {
  it('are made, told once, listed without themselves, and revoked', async () => {
    await using api = await startApi();
    const made = await api.call('POST', '/access/keys', { json: { name: 'Ann' } });
    expect(made.body.key).toMatch(/^[\w-]{32}$/);
    const own = await api.call('POST', '/access/keys', { json: { key: 'a-key-of-my-own' } });
    expect(own.body).toMatchObject({ name: null, key: 'a-key-of-my-own' });
    const listed = await api.call('GET', '/access/keys');
    expect(listed.body.keys).toHaveLength(2);
    expect(listed.text).not.toContain(made.body.key);
    expect((await api.call('DELETE', `/access/keys/${made.body.id}`)).status).toBe(200);
    expect((await api.call('DELETE', `/access/keys/${made.body.id}`)).status).toBe(404);
    expect((await api.call('GET', '/access/keys')).body.keys).toHaveLength(1);
  });

  it.each([{ key: 'short' }, { key: 'with a blank in it' }, { name: '' }, { name: 'é' }])(
    'are refused when they cannot be: %o',
    async (json) => {
      await using api = await startApi();
      expect((await api.call('POST', '/access/keys', { json })).status).toBe(422);
    },
  );
});

describe('the secret', () => {
  it('is rotated where it is ours, and not where a setting gives it', async () => {
    await using api = await startApi();
    expect((await api.call('POST', '/access/secret/rotate')).status).toBe(200);
    const secrets = [randomBytes(32)] as const;
    const access = new AccessControl(accessOptions({ secrets }), secrets);
    await using fixed = await startApi({ access });
    const { status, body } = await fixed.call('POST', '/access/secret/rotate');
    expect({ status, code: body.code }).toEqual({ status: 409, code: 'SECRET_IN_SETTING' });
  });
});

const SECRET = 'pass-word-of-the-proxy';

describe('the egress of a stream', () => {
  it.each([
    { kind: 'direct', local_address: '192.0.2.7' },
    { kind: 'http-connect', url: `http://user:${SECRET}@proxy:3128` },
    { kind: 'socks5', url: `socks5h://user:${SECRET}@[::1]:1080`, resolve: 'local' },
    { kind: 'template', template: `https://user:${SECRET}@hop/${SECRET}?u={url_encoded}` },
  ])('is taken, and told without what opens it: %o', async (egress) => {
    await using api = await startApi();
    const created = await api.call('POST', '/streams', { json: { url: URL_A, egress } });
    const { body, text } = await api.call('GET', `/streams/${created.body.stream_id}`);
    expect(body.stream.egress).toMatchObject({ kind: egress.kind });
    expect(created.text + text).not.toContain(SECRET);
  });

  it.each([
    {},
    'http://proxy',
    { kind: 'vpn' },
    { kind: 'direct', local_address: 'eth0' },
    { kind: 'http-connect' },
    { kind: 'http-connect', url: `socks5://user:${SECRET}@proxy` },
    { kind: 'socks5', url: `http://user:${SECRET}@proxy` },
    { kind: 'template', template: `http://user:${SECRET}@hop/` },
    { kind: 'socks5', url: 'socks5://proxy', resolve: 'both' },
  ])('is refused, without a word of it, when it cannot be: %o', async (egress) => {
    await using api = await startApi();
    const { status, text } = await api.call('POST', '/streams', { json: { url: URL_A, egress } });
    expect(status).toBe(422);
    expect(text).not.toContain(SECRET);
  });

  it('is none where the default one counts', () => {
    expect(presentEgress(null)).toBeNull();
    expect(presentEgress(undefined)).toBeNull();
  });
});
