import { describe, expect, it } from 'vitest';
import { liveTs, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { eventually } from '../support/processes.ts';
import { startProduct, type Product } from '../support/product.ts';
import { useProduct } from '../support/use-product.ts';
import { watch } from '../support/viewer.ts';

const stage = useProduct({ env: { SHARED_STREAM_GRACE: '0.2' } });

const PROFILE =
  '-i {input_url} -c:v libx264 -preset ultrafast -vf scale=160:90 -c:a aac -f mpegts {output_args}';

const ffmpegsOf = (product: Product): number =>
  product.processes().filter(({ command }) => command.startsWith('ffmpeg ')).length;

describe('viewers of one transcode at two api processes', () => {
  it('share one FFmpeg, and the second goes on when the first process is gone', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const { product } = stage;
    await using other = await startProduct({
      roles: 'api',
      env: { REDIS_URL: `unix://${product.dataDir}/redis/redis.sock`, SHARED_STREAM_GRACE: '0.2' },
    });
    const json = { url: provider.url('/live.ts'), profile: PROFILE };
    const { body } = await product.api.post('/transcode', json);
    const path = `/stream/${String(body['stream_id'])}`;
    await using here = watch(product.url + path);
    await here.reached(20_000, 15_000);
    await using there = watch(other.url + path);
    await there.reached(20_000, 15_000);
    expect(ffmpegsOf(product)).toBe(1);
    process.kill(product.pid('api'), 'SIGKILL');
    await there.more(60_000, 20_000);
    expect(ffmpegsOf(product)).toBe(1);
    there.leave();
    await eventually('FFmpeg has ended', () => ffmpegsOf(product) === 0);
  });
});
