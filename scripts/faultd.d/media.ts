import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DURATION_S, RECIPES, type Step } from './media-recipes.ts';

const run = promisify(execFile);
const STEP_DEADLINE_MS = 60_000;

/** Paths of real media, 8 s each, H.264 640x360 at 25 Hz and AAC; nobody may write to them. */
export type Media = {
  readonly folder: string;
  readonly durationMs: number;
  /** MPEG-TS: test pattern, 440 Hz. */
  readonly main: string;
  /** MPEG-TS with the layout of `main`: inverted colours, 1000 Hz. */
  readonly other: string;
  /** MPEG-TS: `main` padded with null packets to a constant 8 Mbit/s. */
  readonly heavy: string;
  /** MPEG-TS: `main` on other PIDs. */
  readonly shifted: string;
  readonly mp4: string;
  readonly mkv: string;
  /** Folders with an `index.m3u8` each, VOD, segments of 2 s. */
  readonly hls: {
    readonly ts: string;
    readonly fmp4: string;
    /** AES-128; the key is `key.bin` beside the playlist. */
    readonly aes: string;
    readonly byterange: string;
    /** `index.m3u8` lists `v0.m3u8` and `v1.m3u8`. */
    readonly master: string;
  };
};

let made: Promise<Media> | undefined;

/**
 * Makes the media with ffmpeg, once per machine and recipe; later calls, in any process, find it.
 * Safe to call from many processes at once: the folder appears complete or not at all.
 */
export function media(): Promise<Media> {
  return (made ??= make());
}

async function make(): Promise<Media> {
  const hash = createHash('sha256').update(JSON.stringify(RECIPES)).digest('hex').slice(0, 12);
  const folder = join(tmpdir(), `penstock-media-${hash}`);
  if (!(await exists(folder))) await makeIn(folder);
  return describe(folder);
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function makeIn(folder: string): Promise<void> {
  const draft = await mkdtemp(`${folder}-`);
  for (const step of RECIPES) await carryOut(step, draft);
  try {
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another process was faster, and its media is the same to the byte.
    if (!(await exists(folder))) throw error;
  }
}

async function carryOut({ folder = '.', files = {}, args }: Step, draft: string): Promise<void> {
  const cwd = join(draft, folder);
  await mkdir(cwd, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(cwd, name), text);
  await run('ffmpeg', args, { cwd, timeout: STEP_DEADLINE_MS });
}

const describe = (folder: string): Media => ({
  folder,
  durationMs: DURATION_S * 1000,
  main: join(folder, 'main.ts'),
  other: join(folder, 'other.ts'),
  heavy: join(folder, 'heavy.ts'),
  shifted: join(folder, 'shifted.ts'),
  mp4: join(folder, 'film.mp4'),
  mkv: join(folder, 'film.mkv'),
  hls: {
    ts: join(folder, 'ts'),
    fmp4: join(folder, 'fmp4'),
    aes: join(folder, 'aes'),
    byterange: join(folder, 'byterange'),
    master: join(folder, 'master'),
  },
});
