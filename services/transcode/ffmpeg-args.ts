import type { Hardware } from './hardware.ts';
import type { TranscodePlan } from './plan.ts';
import { builtIn } from './profiles.ts';
import { recipeArgs } from './recipe.ts';

export type RunInput = {
  /** A file comes as fast as it is read: FFmpeg then keeps the time. */
  readonly isPaced: boolean;
};

const GLOBAL = ['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'level+info'];
/** FFmpeg would look at five seconds of a stream before it begins. */
const LOOK = ['-analyzeduration', '1500000', '-probesize', '2000000'];
const PROGRESS = ['-progress', 'pipe:4', '-stats_period', '0.5'];

/** How FFmpeg is run for a plan. Media comes in by standard input, goes out by standard output. */
export function ffmpegArgs(
  plan: TranscodePlan,
  hardware: Hardware,
  { isPaced }: RunInput,
): readonly string[] {
  const { input, output } = ownArgs(plan, hardware);
  return [
    ...GLOBAL,
    ...PROGRESS,
    ...(has(input, 'analyzeduration') || has(input, 'probesize') ? [] : LOOK),
    ...(isPaced && !has(input, 're') ? ['-re'] : []),
    ...input,
    '-i',
    'pipe:0',
    ...mapArgs(output),
    ...output,
    ...keyframeArgs(plan, output),
    ...containerArgs(plan.output.container, output),
    'pipe:1',
  ];
}

/** For whoever wants to see what a plan comes to, on software. */
export const shownArgs = (plan: TranscodePlan): readonly string[] => [
  ...plan.input,
  '-i',
  'pipe:0',
  ...plan.args,
  ...keyframeArgs(plan, plan.args),
  ...containerArgs(plan.output.container, plan.args),
  'pipe:1',
];

function ownArgs(plan: TranscodePlan, hardware: Hardware) {
  const profile = plan.builtIn === null ? undefined : builtIn(plan.builtIn);
  return profile === undefined
    ? { input: plan.input, output: plan.args }
    : recipeArgs(profile.recipe(plan.variables), hardware);
}

const has = (args: readonly string[], name: string): boolean =>
  args.some((arg) => arg === `-${name}` || arg.startsWith(`-${name}:`));

/** What `names` say last, that counts. */
const valueOf = (args: readonly string[], names: readonly string[]): string | undefined =>
  args[args.findLastIndex((arg) => names.includes(arg)) + 1];

const VIDEO_CODEC = ['-c:v', '-codec:v', '-vcodec', '-c:v:0'];
const AUDIO_CODEC = ['-c:a', '-codec:a', '-acodec', '-c:a:0'];

function encodes(args: readonly string[], names: readonly string[]): boolean {
  const isNamed = args.some((arg) => names.includes(arg));
  return isNamed && valueOf(args, names) !== 'copy';
}

/** One picture track and one sound track, where something is encoded and nothing else is said. */
function mapArgs(output: readonly string[]): readonly string[] {
  const isEncoded = encodes(output, VIDEO_CODEC) || encodes(output, AUDIO_CODEC);
  if (has(output, 'map') || !isEncoded) return [];
  return [
    ...(has(output, 'vn') ? [] : ['-map', '0:v:0?']),
    ...(has(output, 'an') ? [] : ['-map', '0:a:0?']),
  ];
}

/** Viewers begin at keyframes, and segments do. Where a template sets its own, they stay. */
function keyframeArgs(plan: TranscodePlan, output: readonly string[]): readonly string[] {
  const isEncoded = encodes(output, VIDEO_CODEC) && !has(output, 'vn');
  const isSet =
    has(output, 'force_key_frames') || (has(output, 'g') && plan.output.delivery !== 'hls');
  if (!isEncoded || isSet) return [];
  return ['-force_key_frames', `expr:gte(t,n_forced*${plan.segmentSeconds})`];
}

function containerArgs(container: string, output: readonly string[]): readonly string[] {
  const isFragmented = container !== 'mp4' || has(output, 'movflags');
  return [
    ...(isFragmented ? [] : ['-movflags', '+frag_keyframe+empty_moov+default_base_moof']),
    ...(has(output, 'flush_packets') ? [] : ['-flush_packets', '1']),
    '-f',
    container,
  ];
}
