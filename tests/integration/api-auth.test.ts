import { Router } from 'express';
import { describe, expect, it } from 'vitest';
import { operations } from '../support/api-contract.ts';
import { startApi } from '../support/api-under-test.ts';

const TOKEN = 'test_token_123';
const PUBLIC = new Set(['/healthz', '/docs', '/openapi.json', '/redoc', '/favicon.ico']);

const protectedApi = (delivery: readonly Router[] = []) =>
  startApi({ delivery, settings: { apiToken: TOKEN } });

const pathOf = (template: string): string => template.replaceAll(/\{\w+\}/g, '0'.repeat(32));

const management = operations
  .filter(({ path, node }) => !PUBLIC.has(path) && !isPlayback(node))
  .map(({ method, path }) => [method, pathOf(path)] as const);

function isPlayback(node: Readonly<Record<string, unknown>>): boolean {
  return (node['tags'] as string[]).includes('Playback');
}

describe('with a token configured', () => {
  it.each(management)('%s %s refuses a caller without one', async (method, path) => {
    await using api = await protectedApi();
    const { status, headers, body } = await api.call(method, path);
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toBe('Bearer');
    expect(body.detail).toContain('API token required');
  });

  it.each(management)('%s %s refuses a wrong one', async (method, path) => {
    await using api = await protectedApi();
    const { status, headers, body } = await api.call(method, path, {
      headers: { 'X-API-Token': 'wrong' },
    });
    expect(status).toBe(403);
    expect(headers.get('www-authenticate')).toBe('Bearer');
    expect(body.detail).toContain('Invalid API token');
  });

  it.each([
    ['as X-API-Token', '/health', { 'X-API-Token': TOKEN }, 200],
    ['with the header in lower case', '/health', { 'x-api-token': TOKEN }, 200],
    ['as Authorization: Bearer', '/health', { Authorization: `Bearer ${TOKEN}` }, 200],
    ['with the scheme in lower case', '/health', { Authorization: `bearer ${TOKEN}` }, 200],
    ['in the query', `/health?api_token=${TOKEN}`, {}, 200],
    ['in the query, wrong', '/health?api_token=wrong', {}, 403],
    [
      'in the query, beside an empty header',
      `/health?api_token=${TOKEN}`,
      { 'X-API-Token': '' },
      200,
    ],
    [
      'right in the header, wrong in the query',
      '/health?api_token=no',
      { 'X-API-Token': TOKEN },
      200,
    ],
    [
      'wrong in the header, right in the query',
      `/health?api_token=${TOKEN}`,
      { 'X-API-Token': 'no' },
      403,
    ],
    [
      'beside credentials of another scheme',
      `/health?api_token=${TOKEN}`,
      { Authorization: 'Basic eA==' },
      200,
    ],
    ['as the beginning of the right one', '/health', { 'X-API-Token': TOKEN.slice(0, -1) }, 403],
    ['empty in the query', '/health?api_token=', {}, 401],
  ])('a token %s gives the right status', async (_how, path, headers, expected) => {
    await using api = await protectedApi();
    const { status } = await api.call('GET', path, { headers });
    expect(status).toBe(expected);
  });

  it('refuses before it looks at the body or the query', async () => {
    await using api = await protectedApi();
    const broken = { raw: '{', headers: { 'Content-Type': 'application/json' } };
    expect((await api.call('POST', '/streams', broken)).status).toBe(401);
    expect((await api.call('GET', '/streams/by-metadata')).status).toBe(401);
  });

  it('lets a caller with the token create streams', async () => {
    await using api = await protectedApi();
    const { status } = await api.call('POST', '/streams', {
      json: { url: 'http://example.com/a.ts' },
      headers: { 'X-API-Token': TOKEN },
    });
    expect(status).toBe(200);
  });

  it.each(['/healthz', '/openapi.json', '/docs/'])('leaves %s to everybody', async (path) => {
    await using api = await protectedApi();
    expect((await api.call('GET', path)).status).toBe(200);
  });

  it('leaves playback to everybody', async () => {
    const delivery = Router();
    delivery.get('/hls/:stream_id/playlist.m3u8', (_req, res) => {
      res.type('application/vnd.apple.mpegurl').send('#EXTM3U\n');
    });
    await using api = await protectedApi([delivery]);
    const { status } = await api.call('GET', `/hls/${'0'.repeat(32)}/playlist.m3u8`);
    expect(status).toBe(200);
  });
});

describe('without a token configured', () => {
  it('leaves management open, whatever the caller sends', async () => {
    await using api = await startApi();
    expect((await api.call('GET', '/health')).status).toBe(200);
    const headers = { 'X-API-Token': 'anything' };
    expect((await api.call('GET', '/streams', { headers })).status).toBe(200);
  });
});
