import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { media } from '../../scripts/faultd.d/media.ts';
import { checkTs } from '../../scripts/faultd.d/ts-check.ts';
import type { AppError } from '#kernel/app-error';
import { silentLogger } from '#kernel/logger';
import type { BodySink } from '#upstream';
import { FfmpegRemuxer } from '../../services/adapters/ffmpeg/remuxer.ts';
import { eventually } from '../support/processes.ts';

let film: Buffer;

beforeAll(async () => {
  const { hls } = await media();
  const names = (await readdir(hls.fmp4)).filter((name) => name.endsWith('.m4s')).toSorted();
  const files = ['init.mp4', ...names].map((name) => readFile(join(hls.fmp4, name)));
  film = Buffer.concat(await Promise.all(files));
});

class Collected implements BodySink {
  readonly parts: Buffer[] = [];
  readonly over = Promise.withResolvers<AppError | 'end'>();
  accepts = true;

  chunk(bytes: Buffer): boolean {
    this.parts.push(Buffer.from(bytes));
    return this.accepts;
  }
  end(): void {
    this.over.resolve('end');
  }
  fail(error: AppError): void {
    this.over.resolve(error);
  }
}

const start = (sink: BodySink, program = 'ffmpeg') =>
  new FfmpegRemuxer({ program, logger: silentLogger }).start([{ format: 'mp4' }], sink);

/** Our children that are still there, zombies left out. */
async function children(): Promise<readonly string[]> {
  const path = `/proc/self/task/${process.pid}/children`;
  const pids = (await readFile(path, 'utf8')).split(' ').filter(Boolean);
  const commands = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
  return (await Promise.all(commands)).filter((command) => command.startsWith('ffmpeg'));
}

describe('a remux with FFmpeg', () => {
  it('packs all that it is given, and ends', async () => {
    const sink = new Collected();
    const run = start(sink);
    await run.write(0, film);
    run.end(0);
    expect(await sink.over.promise).toBe('end');
    const report = checkTs(Buffer.concat(sink.parts));
    expect(report).toMatchObject({ counterErrors: [], stepsBack: [], leaps: [] });
    expect(report.spanMs).toBeGreaterThan(7_500);
    run.close();
    expect(await children()).toEqual([]);
  });

  it('waits for a sink that takes no more', async () => {
    const sink = new Collected();
    sink.accepts = false;
    const run = start(sink);
    void run.write(0, film).then(() => run.end(0));
    await eventually('the first bytes', () => sink.parts.length > 0);
    const before = sink.parts.length;
    sink.accepts = true;
    run.resume();
    expect(await sink.over.promise).toBe('end');
    expect(before).toBeLessThan(sink.parts.length);
    run.close();
  });

  it('ends at once with its owner, tells nobody, and leaves no process behind', async () => {
    const sink = new Collected();
    const run = start(sink);
    await run.write(0, film.subarray(0, 300_000));
    await eventually('ffmpeg runs', async () => (await children()).length === 1);
    run.close();
    run.close();
    await eventually('ffmpeg is gone', async () => (await children()).length === 0, 3_000);
    const told = Promise.race([sink.over.promise, Promise.resolve('nothing')]);
    await expect(told).resolves.toBe('nothing');
  });

  it('says so when the media cannot be packed', async () => {
    const sink = new Collected();
    const run = start(sink);
    await run.write(0, Buffer.alloc(200_000, 1));
    run.end(0);
    expect(await sink.over.promise).toMatchObject({ code: 'UPSTREAM_WRONG_TYPE' });
    run.close();
  });

  it('says so when there is no FFmpeg', async () => {
    const sink = new Collected();
    const run = start(sink, '/nowhere/ffmpeg');
    expect(await sink.over.promise).toMatchObject({ code: 'CONVERTER_MISSING' });
    await run.write(0, film);
    run.close();
  });
});
