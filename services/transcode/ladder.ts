import { InvalidInputError } from '#kernel/app-error';
import type { Hardware } from './hardware.ts';
import { recipeArgs } from './recipe.ts';
import type { Recipe, RecipeArgs } from './recipe.ts';

/** One size of pictures of a ladder. */
export type Rendition = {
  /** In pixels; `null`: as the height and the source's shape have it. */
  readonly width: number | null;
  readonly height: number;
  /** As FFmpeg writes it. */
  readonly bitrate: string;
  /** The most that its pictures may take for a while, in bits per second. */
  readonly mostBps: number;
};

export type RenditionRequest = Pick<Rendition, 'width' | 'height' | 'bitrate'>;

/** How far above its bit rate a rendition may go, and what it may save up for that. */
const MOST = 1.25;
const BUFFER = 1.5;
const UNITS: Readonly<Record<string, number>> = { k: 1_000, m: 1_000_000 };

/** The sizes of a ladder, the largest first: players begin with the first that is listed. */
export const ladderOf = (asked: readonly RenditionRequest[]): readonly Rendition[] =>
  asked
    .map((rendition) => ({ ...rendition, mostBps: Math.round(bpsOf(rendition.bitrate) * MOST) }))
    .toSorted((one, other) => other.mostBps - one.mostBps);

/** @throws InvalidInputError `INPUT_INVALID` for what is no bit rate. */
function bpsOf(bitrate: string): number {
  const [, number = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)([km]?)$/i.exec(bitrate) ?? [];
  const bps = Number(number) * (UNITS[unit.toLowerCase()] ?? 1);
  if (number !== '' && bps >= 1_000) return bps;
  throw new InvalidInputError('INPUT_INVALID', {
    message: 'renditions.video_bitrate: is not a bit rate such as 800k or 2.5M',
  });
}

/** Keyframes only where all sizes have one: what an encoder adds by itself, it adds to one of them. */
const NO_SCENE_CUTS = {
  software: { h264: ['-sc_threshold', '0'], hevc: ['-x265-params', 'scenecut=0'] },
  nvenc: { h264: ['-no-scenecut', '1'], hevc: ['-no-scenecut', '1'] },
  vaapi: { h264: [], hevc: [] },
  qsv: { h264: [], hevc: [] },
} as const satisfies Record<Hardware['kind'], Record<'h264' | 'hevc', readonly string[]>>;

/** The arguments of a recipe in several sizes, from one decoder, with one sound track. */
export function ladderArgs(
  recipe: Recipe,
  renditions: readonly Rendition[],
  hardware: Hardware,
): RecipeArgs {
  const { video } = recipe;
  if (video === undefined) return recipeArgs(recipe, hardware);
  const audio = recipeArgs({ audioBitrate: recipe.audioBitrate }, hardware).output;
  const pictures = renditions.flatMap(({ width, height, bitrate, mostBps }, at) => {
    const size = { width: width ?? -2, height };
    const one = { video: { ...video, rate: { bitrate }, size }, audioBitrate: '0' };
    const output = videoPart(recipeArgs(one, hardware).output);
    const limits = ['-maxrate', `${mostBps}`, '-bufsize', `${Math.round(mostBps * BUFFER)}`];
    const scenes = NO_SCENE_CUTS[hardware.kind][video.codec];
    return ['-map', '0:v:0', ...ofTrack([...output, ...limits, ...scenes], at)];
  });
  const { input } = recipeArgs(recipe, hardware);
  return { input, output: [...pictures, '-map', '0:a:0?', ...audio.slice(1)] };
}

/** All before the sound. */
const videoPart = (output: readonly string[]): readonly string[] =>
  output.slice(0, output.indexOf('-c:a'));

/** Options for one picture track of the output: `-preset` becomes `-preset:v:1`. */
const ofTrack = (output: readonly string[], track: number): readonly string[] =>
  output.map((word, at) => {
    if (at % 2 === 1) return word;
    const name = word === '-vf' ? '-filter' : word.replace(/:v$/, '');
    return `${name}:v:${track}`;
  });
