import { describe, expect, it } from 'vitest';
import { liveTs, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { decode } from '../support/players.ts';
import { eventually } from '../support/processes.ts';
import { useProduct } from '../support/use-product.ts';
import { watch } from '../support/viewer.ts';

const stage = useProduct({ env: { SLATES: 'on', SLATE_AFTER: '0.3' } });

/** Two seconds of media and more. */
const A_FEW_SECONDS = 300_000;

const slateOf = async (id: string): Promise<unknown> => {
  const { body } = await stage.product.api.get(`/streams/${id}`);
  return (body['stream'] as Record<string, unknown>)['slate'];
};

describe('a live stream whose only provider goes away and comes back', () => {
  it('shows the slate that the first start has made, and then its picture', async () => {
    await eventually('the slate is made', () => stage.product.output().includes('slate loaded'));
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const id = await stage.product.api.createStream({ url: provider.url('/live.ts') });
    await using viewer = watch(`${stage.product.url}/stream/${id}`);
    await viewer.reached(A_FEW_SECONDS);
    await provider.down();
    await eventually('a slate is on', async () => (await slateOf(id)) === 'channel_unavailable');
    await viewer.more(188 * 100);
    await provider.up();
    await eventually('the slate is off', async () => (await slateOf(id)) === null, 15_000);
    await viewer.more(A_FEW_SECONDS);
    expect((await decode(viewer.body())).complaints).toEqual([]);
    const { data } = await stage.sink.event('slate_ended', id);
    expect(data).toMatchObject({ trigger: 'channel_unavailable', client_count: 1 });
    expect(data['duration_ms']).toBeGreaterThan(0);
  });
});
