import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LoopedTs } from '../looped-ts.ts';
import { PACKET_BYTES } from '../ts-tools.ts';
import { type ClipRecipe, type FfmpegPlan, planClip } from './clip-recipe.ts';
import { loopLengthMs } from './loop-length.ts';

const run = promisify(execFile);
const MAKING_DEADLINE_MS = 120_000;

/** A clip is made from a recipe, or is a transport stream of the operator's. */
export type Clip = ClipRecipe | { readonly file: string };

/**
 * Makes clips with ffmpeg and keeps them: what was made once is found again by every later run.
 * Safe for many processes at once: a clip appears complete or not at all.
 */
export class ClipStore {
  readonly #folder: string;

  constructor(folder = join(tmpdir(), 'faultd-clips')) {
    this.#folder = folder;
  }

  /** @throws Error when ffmpeg fails, or when the operator's file is no transport stream. */
  async open(clip: Clip): Promise<LoopedTs> {
    if ('file' in clip) return openOwn(clip.file);
    const { durationMs } = planClip(clip, '');
    return LoopedTs.open(await this.pathOf(clip), durationMs);
  }

  /** The transport stream of a clip. */
  async pathOf(clip: Clip): Promise<string> {
    if ('file' in clip) return clip.file;
    const { args } = planClip(clip, 'clip.ts');
    return join(await this.#made(args), 'clip.ts');
  }

  /** The clip as one file, `.mp4` or `.mkv`. */
  async filmOf(clip: Clip, extension: '.mp4' | '.mkv'): Promise<string> {
    const output = `film${extension}`;
    return join(await this.#remade(clip, ['-movflags', '+faststart', output]), output);
  }

  /** A folder with the clip as a playlist that has an end: `index.m3u8`. */
  vodOf(clip: Clip): Promise<string> {
    const args = '-f hls -hls_time 2 -hls_playlist_type vod -hls_segment_filename seg%d.ts';
    return this.#remade(clip, [...args.split(' '), 'index.m3u8']);
  }

  async #remade(clip: Clip, output: readonly string[]): Promise<string> {
    const input = ['-i', await this.pathOf(clip), '-map', '0', '-c', 'copy'];
    return this.#made(['-loglevel', 'error', '-nostdin', '-y', ...input, ...output]);
  }

  /** The folder in which this run of ffmpeg was or now is. */
  async #made(args: FfmpegPlan['args']): Promise<string> {
    const hash = createHash('sha256').update(JSON.stringify(args)).digest('hex').slice(0, 16);
    const folder = join(this.#folder, hash);
    if (await exists(folder)) return folder;
    await mkdir(this.#folder, { recursive: true });
    const draft = await mkdtemp(`${folder}-`);
    try {
      await run('ffmpeg', [...args], { cwd: draft, timeout: MAKING_DEADLINE_MS });
      await rename(draft, folder);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      // Another process may have been faster.
      if (!(await exists(folder))) throw error;
    }
    return folder;
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** From its first keyframe on: that is where it begins again. */
async function openOwn(path: string): Promise<LoopedTs> {
  const bytes = await readFile(path);
  const whole = new LoopedTs(bytes, 1);
  const looped = bytes.subarray((whole.starts[0] ?? 0) * PACKET_BYTES);
  return new LoopedTs(looped, loopLengthMs(looped));
}
