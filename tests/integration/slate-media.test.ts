import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SlateLibrary } from '#delivery';
import { silentLogger } from '#kernel/logger';
import { createSlateMaker } from '../../services/adapters/ffmpeg/slate-maker.ts';
import { slateFilesIn } from '../../services/adapters/fs/slate-files.ts';
import { checkTs } from '../../scripts/faultd.d/ts-check.ts';
import { clipOf, looped } from '../support/clip.ts';
import { PLAIN, builtInSlate, maxPcrGapMs } from '../support/slates.ts';
import { judge } from '../support/splice-check.ts';
import { spliceSource } from '../support/splice-media.ts';

const quiet = new AbortController().signal;

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'penstock-slates-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** A program in ffmpeg's place. */
async function fakeFfmpeg(folder: string, script: string): Promise<string> {
  const path = join(folder, 'ffmpeg');
  await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

describe('the built-in slate', () => {
  it('is small, and lasts 6.4 s to the sample', async () => {
    const bytes = await builtInSlate();
    expect(bytes.length).toBeLessThan(300_000);
    expect(clipOf(bytes).durationMs).toBe(6400);
  });

  it('is kept: FFmpeg is asked once per folder', async () => {
    await using folder = await temporaryFolder();
    const kept = join(folder.path, 'kept');
    const made = { folder: kept, logger: silentLogger };
    const script = `echo run >> ${folder.path}/runs; echo media`;
    const program = await fakeFfmpeg(folder.path, script);
    await createSlateMaker({ ...made, program }).make(PLAIN, quiet);
    const again = await createSlateMaker({ ...made, program }).make(PLAIN, quiet);
    expect(again?.toString()).toBe('media\n');
    expect(await readFile(join(folder.path, 'runs'), 'utf8')).toBe('run\n');
    expect(await readdir(kept)).toEqual([expect.stringMatching(/^built-in-[0-9a-f]{12}\.ts$/)]);
  });

  it.each([
    ['is not there', (folder: string) => join(folder, 'none')],
    ['fails', (folder: string) => fakeFfmpeg(folder, 'echo half; exit 1')],
    ['writes without end', (folder: string) => fakeFfmpeg(folder, 'exec yes')],
  ])('is done without when FFmpeg %s: one line tells', async (_name, programIn) => {
    await using folder = await temporaryFolder();
    const lines: string[] = [];
    const logger = { ...silentLogger, warn: (message: string) => void lines.push(message) };
    const program = await programIn(folder.path);
    const maker = createSlateMaker({ program, folder: join(folder.path, 'kept'), logger });
    expect(await maker.make(PLAIN, quiet)).toBeUndefined();
    expect(lines).toEqual(['no built-in slate']);
  });

  it('is not waited for by a process that ends', async () => {
    await using folder = await temporaryFolder();
    const program = await fakeFfmpeg(folder.path, 'exec sleep 60');
    const ending = new AbortController();
    const made = createSlateMaker({ program, folder: folder.path, logger: silentLogger }).make(
      PLAIN,
      ending.signal,
    );
    ending.abort();
    expect(await made).toBeUndefined();
  });
});

describe('a slate that follows itself', () => {
  const specs = {
    'built-in': builtInSlate,
    'B pictures, 30 fps': () => spliceSource({ fps: 30, bFrames: 2, seconds: 2 }),
    'sound that ends with its pictures only about': () => spliceSource({ seconds: 3, gop: 10 }),
  };
  it.each(Object.entries(specs))(
    'leaves no mark where it begins again (%s)',
    async (name, bytes) => {
      const clip = clipOf(await bytes());
      const out = looped(clip, 4);
      expect(checkTs(out)).toMatchObject({ counterErrors: [], stepsBack: [], leaps: [] });
      expect(maxPcrGapMs(out)).toBeLessThanOrEqual(100);
      const { errors, video, audio } = await judge(out);
      expect(errors).toBe('');
      const frameS = name.includes('30 fps') ? 1 / 30 : 0.04;
      expect(Math.abs(video.maxStepS - frameS)).toBeLessThan(0.001);
      // A frame of sound is 21.3 ms; where tracks end apart, one may be missing.
      expect(audio.maxStepS).toBeLessThan(0.0437);
      expect([video.stepsBack, audio.stepsBack]).toEqual([0, 0]);
    },
  );

  it('has sound without any gap where both tracks are equally long', async () => {
    const { audio } = await judge(looped(clipOf(await builtInSlate()), 4));
    expect(audio.maxStepS).toBeLessThan(0.0224);
    // And the one that an encoder sends ahead.
    expect(audio.count).toBe(4 * 300 + 1);
  });
});

describe("the operator's folder", () => {
  it('has its files read by name; what is too large is not read, what is no file is not there', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'channel_unavailable.ts'), Buffer.alloc(1000));
    const files = slateFilesIn(folder.path);
    expect(await files.read('channel_unavailable.ts', 1000)).toHaveLength(1000);
    expect(await files.read('channel_unavailable.ts', 999)).toBe('too-large');
    expect(await files.read('user_account_expired.ts', 999)).toBeUndefined();
    expect(await files.read('.', 1_000_000)).toBeUndefined();
  });

  it('gives slates that take the place of the built-in one', async () => {
    await using folder = await temporaryFolder();
    const own = await spliceSource({ seconds: 2, gop: 10 });
    await writeFile(join(folder.path, 'channel_unavailable.ts'), own);
    const library = new SlateLibrary({
      files: slateFilesIn(folder.path),
      maker: { make: builtInSlate },
      logger: silentLogger,
    });
    await library.load(quiet);
    expect(library.find('channel_unavailable')?.packets.length).toBe(own.length);
    expect(library.find('provider_connections_exhausted')?.durationMs).toBe(6400);
  });
});
