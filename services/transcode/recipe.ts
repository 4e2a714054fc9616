import type { Codec, Hardware, HardwareKind } from './hardware.ts';
import { encoderOf, hardwareInput } from './hardware.ts';

/** How pictures are encoded, whatever encodes them. */
export type VideoRecipe = {
  readonly codec: Codec;
  /** A bit rate as FFmpeg writes it, or a quality from 0 (best) to 51. */
  readonly rate: { readonly bitrate: string } | { readonly quality: string };
  readonly size?: { readonly width: number; readonly height: number };
  readonly isLowLatency?: boolean;
};

/** A built-in profile, before it is known what encodes it. */
export type Recipe = {
  /** Absent: sound only. */
  readonly video?: VideoRecipe;
  readonly audioBitrate: string;
};

/** The arguments of a recipe, for one kind of encoder. */
export function recipeArgs(recipe: Recipe, hardware: Hardware): RecipeArgs {
  const audio = ['-c:a', 'aac', '-b:a', recipe.audioBitrate];
  const { video } = recipe;
  if (video === undefined) return { input: [], output: ['-vn', ...audio] };
  const output = [...filterArgs(video, hardware.kind), ...videoArgs(video, hardware), ...audio];
  return { input: hardwareInput(hardware), output };
}

const TRIAL: Recipe = {
  video: { codec: 'h264', rate: { bitrate: '500k' }, size: { width: 320, height: 180 } },
  audioBitrate: '64k',
};

/** A short encode that shows whether a kind of hardware works, with what our recipes use of it. */
export function trialArgs(hardware: Hardware): readonly string[] {
  const { input, output } = recipeArgs(TRIAL, hardware);
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=25'];
  const global = ['-hide_banner', '-nostdin', '-loglevel', 'error'];
  return [...global, ...input, ...source, '-frames:v', '10', ...output, '-f', 'null', '-'];
}

export type RecipeArgs = { readonly input: readonly string[]; readonly output: readonly string[] };

const PRESETS = {
  software: ['-preset', 'faster'],
  nvenc: ['-preset', 'fast'],
  // VAAPI has no presets.
  vaapi: [],
  qsv: ['-preset', 'fast'],
} as const satisfies Record<HardwareKind, readonly string[]>;

const LOW_LATENCY = {
  software: ['-tune', 'zerolatency'],
  nvenc: ['-tune', 'ull', '-zerolatency', '1', '-bf', '0'],
  vaapi: ['-async_depth', '1', '-bf', '0'],
  qsv: ['-async_depth', '1', '-bf', '0'],
} as const satisfies Record<HardwareKind, readonly string[]>;

function videoArgs(video: VideoRecipe, hardware: Hardware): readonly string[] {
  const { kind } = hardware;
  return [
    '-c:v',
    encoderOf(hardware, video.codec),
    ...PRESETS[kind],
    ...(video.isLowLatency === true ? LOW_LATENCY[kind] : []),
    ...rateArgs(video.rate, kind),
    // Without it NVENC and QSV force pictures that no decoder can begin with.
    ...(kind === 'nvenc' ? ['-forced-idr', '1'] : []),
    ...(kind === 'qsv' ? ['-forced_idr', '1'] : []),
    ...(kind === 'software' ? ['-pix_fmt', 'yuv420p'] : []),
  ];
}

function rateArgs(rate: VideoRecipe['rate'], kind: HardwareKind): readonly string[] {
  if ('bitrate' in rate) return ['-b:v', rate.bitrate];
  return {
    software: ['-crf', rate.quality],
    nvenc: ['-rc', 'vbr', '-cq', rate.quality, '-b:v', '0'],
    vaapi: ['-rc_mode', 'CQP', '-qp', rate.quality],
    qsv: ['-global_quality', rate.quality],
  }[kind];
}

/** Pictures that lie in the device are scaled there; those that do not are brought to it. */
function filterArgs({ size }: VideoRecipe, kind: HardwareKind): readonly string[] {
  const scale = size === undefined ? [] : [`${size.width}:${size.height}`];
  if (kind === 'vaapi') {
    const onDevice = size && `scale_vaapi=w=${size.width}:h=${size.height}:format=nv12`;
    const filters = [
      'format=nv12|vaapi',
      'hwupload',
      ...(onDevice === undefined ? [] : [onDevice]),
    ];
    return ['-vf', filters.join(',')];
  }
  const filters = scale.map((dimensions) => `scale=${dimensions}`);
  if (kind === 'qsv') filters.push('format=nv12');
  return filters.length === 0 ? [] : ['-vf', filters.join(',')];
}
