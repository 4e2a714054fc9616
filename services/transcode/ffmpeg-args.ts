import { SOFTWARE } from './hardware.ts';
import type { Hardware } from './hardware.ts';
import { ladderArgs } from './ladder.ts';
import { isFragmentedHls } from './plan.ts';
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
    ...containerArgs(plan, output),
    'pipe:1',
  ];
}

/** For whoever wants to see what a plan comes to, on software. */
export function shownArgs(plan: TranscodePlan): readonly string[] {
  const isLadder = plan.renditions !== undefined;
  const { input, output } = isLadder
    ? ownArgs(plan, SOFTWARE)
    : { input: plan.input, output: plan.args };
  return [
    ...input,
    '-i',
    'pipe:0',
    ...output,
    ...keyframeArgs(plan, output),
    ...containerArgs(plan, output),
    'pipe:1',
  ];
}

function ownArgs(plan: TranscodePlan, hardware: Hardware) {
  const profile = plan.builtIn === null ? undefined : builtIn(plan.builtIn);
  if (profile === undefined) return { input: plan.input, output: plan.args };
  const recipe = profile.recipe(plan.variables);
  const { renditions } = plan;
  return renditions === undefined
    ? recipeArgs(recipe, hardware)
    : ladderArgs(recipe, renditions, hardware);
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

/** Each fragment begins with a keyframe, or a second after the one before. */
const CUT_FRAGMENTS = [
  '-movflags',
  '+cmaf+delay_moov+frag_keyframe+default_base_moof',
  '-frag_duration',
  '1000000',
];
const PIPED_FRAGMENTS = ['-movflags', '+frag_keyframe+empty_moov+default_base_moof'];

function containerArgs(plan: TranscodePlan, output: readonly string[]): readonly string[] {
  const { container } = plan.output;
  return [
    ...fragmentArgs(plan, output),
    ...(has(output, 'flush_packets') ? [] : ['-flush_packets', '1']),
    '-f',
    container,
  ];
}

/** What we cut is written as we read it; for players that read it themselves, as templates say. */
function fragmentArgs(plan: TranscodePlan, output: readonly string[]): readonly string[] {
  if (isFragmentedHls(plan)) return [...hevcTag(output), ...CUT_FRAGMENTS];
  return plan.output.container !== 'mp4' || has(output, 'movflags') ? [] : PIPED_FRAGMENTS;
}

/** Players of Apple know HEVC by this name only. */
function hevcTag(output: readonly string[]): readonly string[] {
  const isHevc = /hevc|x265/.test(valueOf(output, VIDEO_CODEC) ?? '');
  return isHevc && !has(output, 'tag') ? ['-tag:v', 'hvc1'] : [];
}
