import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { liveTs, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../scripts/faultd.d/media.ts';
import { eventually } from '../support/processes.ts';
import { startProduct, type Product } from '../support/product.ts';
import { redisCommand } from '../support/redis-command.ts';
import { watch } from '../support/viewer.ts';

const PROFILE =
  '-i {input_url} -c:v libx264 -preset ultrafast -vf scale=160:90 -c:a aac -f mpegts {output_args}';

const ffmpegsOf = (product: Product): number =>
  product.processes().filter(({ command }) => command.startsWith('ffmpeg ')).length;

/** Every key but those that expire by themselves within seconds: holds and leases of the living. */
async function keysOf({ dataDir }: Product): Promise<readonly string[]> {
  const reply = await redisCommand(join(dataDir, 'redis', 'redis.sock'), 'KEYS *');
  return reply
    .split('\r\n')
    .filter((line) => !/^[*$]\d+$/.test(line) && !PASSING.test(line))
    .toSorted();
}
const PASSING = /:runs:/;

/** A product with a stream that is being transcoded for a viewer. */
async function transcoding() {
  const { main, durationMs } = await media();
  const source = await LoopedTs.open(main, durationMs);
  const provider = await startFakeProvider({ '/live.ts': liveTs(source) });
  const product = await startProduct({ env: { SHARED_STREAM_GRACE: '0' } });
  const json = { url: provider.url('/live.ts'), profile: PROFILE };
  const { body } = await product.api.post('/transcode', json);
  const url = `${product.url}/stream/${String(body['stream_id'])}`;
  const dispose = async (): Promise<void> => {
    await product[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  };
  return { product, url, [Symbol.asyncDispose]: dispose };
}

describe('a transcode', () => {
  it('leaves no FFmpeg behind when the supervisor is killed', async () => {
    await using running = await transcoding();
    await using viewer = watch(running.url);
    await viewer.reached(20_000, 15_000);
    expect(ffmpegsOf(running.product)).toBe(1);
    await running.product.crash(); // Waits until every process is gone, FFmpeg among them.
    expect(ffmpegsOf(running.product)).toBe(0);
  });

  it('leaves nothing behind after being started and stopped many times', async () => {
    await using running = await transcoding();
    const { product } = running;
    const busy = async (): Promise<readonly number[]> => {
      const { body } = await product.api.get('/info');
      const { workers } = body['transcoding'] as { readonly workers: readonly { busy: number }[] };
      return workers.map((worker) => worker.busy);
    };
    const keys = (): Promise<readonly string[]> => keysOf(product);
    const isAtWork = async (): Promise<boolean> =>
      (await keys()).some((key) => key.endsWith(':active'));
    // What is there for good is there after the first.
    let before: readonly string[] | undefined;
    for (let round = 0; round < 5; round += 1) {
      await using viewer = watch(running.url);
      await viewer.reached(1_000, 15_000);
      viewer.leave();
      await eventually('FFmpeg has ended', () => ffmpegsOf(product) === 0);
      await expect.poll(isAtWork, { timeout: 10_000 }).toBe(false);
      before ??= await keys();
    }
    await expect.poll(busy, { timeout: 10_000 }).toEqual([0]);
    await expect.poll(keys, { timeout: 10_000 }).toEqual(before);
    expect(await readdir(join(product.dataDir, 'transcode'))).toEqual([]);
  });

  it('ends with the api process that asked for it', async () => {
    await using running = await transcoding();
    await using viewer = watch(running.url);
    await viewer.reached(20_000, 15_000);
    await running.product.killAndAwaitReturn('api');
    await eventually('FFmpeg has ended', () => ffmpegsOf(running.product) === 0);
    expect(viewer.ending).toBe('broken');
  });
});
