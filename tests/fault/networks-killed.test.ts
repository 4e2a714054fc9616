import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { file, liveTs } from '../../scripts/faultd.d/fake-provider.ts';
import { NetworkApp } from '../support/network-app.ts';
import type { FoundProcess } from '../support/processes.ts';
import { startProduct, type Product } from '../support/product.ts';
import { useProduct } from '../support/use-product.ts';

const stage = useProduct();
let app: NetworkApp;

beforeAll(async () => {
  app = await NetworkApp.open(stage.product);
  app.provider.setRoute('/film.mkv', file(stage.media.mkv));
  app.provider.setRoute('/live.ts', liveTs(stage.main));
});
afterAll(() => app[Symbol.asyncDispose]());

const ffmpegsOf = (product: Product): readonly FoundProcess[] =>
  product.processes().filter(({ command }) => command.startsWith('ffmpeg '));
const ffmpegs = (): readonly FoundProcess[] => ffmpegsOf(stage.product);

const numbers = (listed: readonly string[]): readonly number[] =>
  listed.map((one) => Number(one.replace('D', '')));

/** As many as listed, none left out and none twice. */
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at);

const pidOf = async (id: string): Promise<number> => Number((await app.status(id))['ffmpeg_pid']);
const running = (): readonly number[] => ffmpegs().map(({ pid }) => pid);

async function goesOn(id: string): Promise<void> {
  const before = await app.listed(id);
  await app.untilListed(id, before.length + 1);
}

/** What had been shown before is not shown again, but for the way to a keyframe. */
async function endsOnce(id: string): Promise<void> {
  const [told] = await app.untilTold(id);
  const all = await app.listed(id);
  expect(told).toMatchObject({
    event: 'programme_ended',
    data: { final_segment_number: all.length - 1, duration_streamed: expect.closeTo(5, -0.5) },
  });
  expect(numbers(all)).toEqual(upTo(all.length));
  expect(await app.status(id)).toMatchObject({ status: 'stopped', ffmpeg_pid: null });
  expect(app.of(id)).toHaveLength(1);
}

describe('kill -9', () => {
  it('of FFmpeg, of the worker and of the api: networks go on, with one FFmpeg each', async () => {
    const [live, film] = ['live', 'film'];
    await app.start(live, { stream_url: app.provider.url('/live.ts') });
    await app.untilListed(live, 2);
    process.kill(await pidOf(live), 'SIGKILL');
    await app.start(film, { stream_url: app.provider.url('/film.mkv'), duration_seconds: 5 });
    await app.until('FFmpeg is replaced', async () =>
      (await app.listed(live)).join().includes('D'),
    );
    await app.untilListed(film, 1);
    expect(new Set(running())).toEqual(new Set([await pidOf(live), await pidOf(film)]));

    const orphans = running();
    await stage.product.killAndAwaitReturn('worker');
    await goesOn(live);
    expect(running().filter((pid) => orphans.includes(pid))).toEqual([]);

    await stage.product.killAndAwaitReturn('api');
    await goesOn(live);
    const all = await app.listed(live);
    expect(numbers(all)).toEqual(upTo(all.length));
    expect(all.filter((one) => one.startsWith('D'))).toHaveLength(2);
    expect(await app.stop(live)).toMatchObject({ status: 200, body: { status: 'stopped' } });
    expect(app.of(live)).toEqual([]);
    await endsOnce(film);
    expect(ffmpegs()).toEqual([]);
  });
});

describe('two api processes and two workers on one folder', () => {
  it('have one FFmpeg per network, which the other worker takes over, and one playlist at both', async () => {
    const { product } = stage;
    await using other = await startProduct({
      env: {
        REDIS_URL: `unix://${product.dataDir}/redis/redis.sock`,
        HLS_BROADCAST_DIR: join(product.dataDir, 'broadcasts'),
      },
    });
    const both = [product, other];
    const beside = app.at(other);
    const all = (): readonly FoundProcess[] => both.flatMap((one) => ffmpegsOf(one));
    const ids = ['one', 'two'];
    const sources = ['/live.ts', '/film.mkv'].map((path) => app.provider.url(path));
    await beside.start('one', { stream_url: sources[0] });
    await app.start('two', { stream_url: sources[1], duration_seconds: 8 });
    for (const id of ids) await app.untilListed(id, 2);
    expect(all()).toHaveLength(2);
    // Whoever has the first of them, goes; its supervisor starts another, which may take it again.
    const pid = await pidOf('one');
    const dying = both.find((one) => ffmpegsOf(one).some((each) => each.pid === pid)) ?? product;
    const returning = dying.killAndAwaitReturn('worker');
    const before = await app.listed('one');
    for (const each of [app, beside]) await each.untilListed('one', before.length + 2);
    await returning;
    expect(numbers(await beside.listed('one'))).toEqual(numbers(await app.listed('one')));
    const [told] = await app.untilTold('two');
    expect(told).toMatchObject({ event: 'programme_ended' });
    expect(await app.stop('one')).toMatchObject({ status: 200, body: { status: 'stopped' } });
    for (const id of ids) {
      const listed = numbers(await beside.listed(id));
      expect(listed).toEqual(upTo(listed.length));
    }
    expect(app.of('two')).toHaveLength(1);
    expect(app.of('one')).toEqual([]);
    expect(all()).toEqual([]);
  });
});

describe('an app that is not there', () => {
  it('is told when it is back, once; and not when it has acted itself', async () => {
    const short = { stream_url: app.provider.url('/film.mkv'), duration_seconds: 1 };
    await Promise.all([app.start('away', short), app.start('acted', short)]);
    // The receiver is another than who serves the films.
    await app.provider.down();
    await app.until('both are over', async () => {
      const states = await Promise.all(['away', 'acted'].map((id) => app.status(id)));
      return states.every((state) => state['status'] === 'stopped');
    });
    await app.stop('acted');
    await app.provider.up();
    const [told] = await app.untilTold('away');
    expect(told?.event).toBe('programme_ended');
    // The other was tried as often as this one: it would be here by now.
    await app.start('after', { ...short });
    await app.untilTold('after');
    expect(app.of('away')).toHaveLength(1);
    expect(app.of('acted')).toEqual([]);
  });
});
