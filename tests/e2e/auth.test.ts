import { describe, expect, it } from 'vitest';
import { ApiClient } from '../support/api-client.ts';
import { liveTs, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { fetchOnce, watch } from '../support/viewer.ts';
import { useProduct } from '../support/use-product.ts';

const TOKEN = 'a-token-for-tests';
const stage = useProduct({ env: { API_TOKEN: TOKEN } });
const anonymous = (): ApiClient => new ApiClient(stage.product.url);

describe('with a token', () => {
  it.each(['/', '/health', '/info', '/streams', '/stats', '/clients', '/webhooks'])(
    'management asks for it: %s',
    async (path) => {
      for (const prefix of ['', '/m3u-proxy']) {
        const { status, body } = await anonymous().get(`${prefix}${path}`);
        expect({ status, detail: typeof body['detail'] }).toEqual({
          status: 401,
          detail: 'string',
        });
      }
    },
  );

  it.each([
    ['the header', { 'x-api-token': TOKEN }, ''],
    ['a bearer', { authorization: `Bearer ${TOKEN}` }, ''],
    ['the query', {}, `?api_token=${TOKEN}`],
  ])('takes it from %s', async (_name, headers, query) => {
    const { status } = await anonymous().get(`/health${query}`, { headers });
    expect(status).toBe(200);
  });

  it('refuses another one, and never logs the right one', async () => {
    const { status } = await anonymous().get('/health?api_token=wrong');
    expect(status).toBe(403);
    expect(stage.product.output()).not.toContain(TOKEN);
  });

  it('asks players for none', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const id = await stage.product.api.createStream({ url: provider.url('/live.ts') });
    await using viewer = watch(`${stage.product.url}/stream/${id}`);
    await viewer.reached(10_000);
    const none = await fetchOnce(`${stage.product.url}/stream/${'0'.repeat(32)}`);
    expect(none.status).toBe(404);
  });

  it('lets anybody ask whether it lives', async () => {
    expect(await anonymous().isAlive()).toBe(true);
  });
});
