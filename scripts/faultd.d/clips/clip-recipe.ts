/** What a clip shows, how it sounds and how it is coded. */
export type ClipRecipe = {
  readonly video: 'h264' | 'hevc' | 'mpeg2' | 'none';
  readonly audio: 'aac' | 'ac3' | 'mp2' | 'none';
  /** Tracks with the same sound. */
  readonly audioTracks: number;
  readonly picture: 'test' | 'inverted';
  readonly toneHz: number;
  /** As `640x360`. */
  readonly size: string;
  readonly fps: number;
  readonly bFrames: number;
  readonly videoBytesPerSecond: number;
  /** Padded with null packets to this constant rate; as large as it gets when absent. */
  readonly constantBytesPerSecond: number | undefined;
  /** PID of the first track; the others follow. */
  readonly firstPid: number;
  /** Where its clock begins, in seconds; it wraps at 95443.7 (ISO/IEC 13818-1 §2.4.2.1). */
  readonly startSeconds: number;
};

export type FfmpegPlan = { readonly args: readonly string[]; readonly durationMs: number };

const words = (line: string): readonly string[] => line.split(' ');
const SAMPLE_RATE = 48_000;
const AAC_FRAME_SAMPLES = 1024;

/**
 * How ffmpeg makes the clip. Its length is a whole number of pictures and of sound frames, so that
 * it loops without a gap or an overlap in any track.
 */
export function planClip(recipe: ClipRecipe, output: string): FfmpegPlan {
  // 375 frames of AAC or 250 of AC-3 last 8 s to the sample; 375 frames of MP2 last 9 s.
  const seconds = recipe.audio === 'mp2' ? 9 : 8;
  const args = [
    ...words('-hide_banner -loglevel error -nostdin -y'),
    ...inputs(recipe, seconds),
    ...video(recipe),
    ...audio(recipe),
    ...words('-fflags +bitexact -flags:v +bitexact -flags:a +bitexact'),
    ...container(recipe),
    output,
  ];
  return { args, durationMs: seconds * 1000 };
}

/**
 * The inputs end, not the outputs: ffmpeg ends all of them with the first that has its number of
 * frames, and what is left of the others is missing where the clip begins again.
 */
function inputs(recipe: ClipRecipe, seconds: number): readonly string[] {
  const { picture, size, fps, toneHz } = recipe;
  const look = picture === 'inverted' ? ',negate' : '';
  const sound = `sine=frequency=${toneHz}:sample_rate=${SAMPLE_RATE}`;
  return [
    ...words(`-f lavfi -i testsrc2=size=${size}:rate=${fps}:duration=${seconds}${look}`),
    ...words(`-f lavfi -i ${sound},atrim=end_sample=${samplesOf(recipe, seconds)}`),
  ];
}

/** AAC encoders send a frame more than they are given, before the first. */
const samplesOf = (recipe: ClipRecipe, seconds: number): number =>
  seconds * SAMPLE_RATE - (recipe.audio === 'aac' ? AAC_FRAME_SAMPLES : 0);

function video(recipe: ClipRecipe): readonly string[] {
  if (recipe.video === 'none') return [];
  const bits = Math.round(recipe.videoBytesPerSecond * 8);
  // One picture group a second: a joiner never waits longer for a keyframe.
  const groups = `-pix_fmt yuv420p -g ${recipe.fps} -bf ${recipe.bFrames} -threads 1`;
  return [
    ...words('-map 0:v'),
    ...encoder(recipe),
    ...words(groups),
    ...words(`-b:v ${bits} -maxrate ${bits} -bufsize ${bits}`),
  ];
}

function encoder({ video: codec, fps, bFrames }: ClipRecipe): readonly string[] {
  if (codec === 'mpeg2') return words('-c:v mpeg2video -sc_threshold 1000000000');
  if (codec === 'hevc') {
    const keys = `keyint=${fps}:min-keyint=${fps}:scenecut=0:open-gop=0:bframes=${bFrames}`;
    return words(`-c:v libx265 -preset ultrafast -x265-params ${keys}:log-level=error:pools=1`);
  }
  return words(`-c:v libx264 -preset ultrafast -keyint_min ${fps} -sc_threshold 0`);
}

function audio({ audio: codec, audioTracks }: ClipRecipe): readonly string[] {
  if (codec === 'none') return [];
  const tracks = Array.from({ length: audioTracks }, () => ['-map', '1:a']).flat();
  return [...tracks, ...words(`-c:a ${codec} -b:a 96k -ac 2`)];
}

function container(recipe: ClipRecipe): readonly string[] {
  const constant = recipe.constantBytesPerSecond;
  return [
    ...words('-f mpegts -mpegts_flags +pat_pmt_at_frames'),
    ...words(`-mpegts_start_pid ${recipe.firstPid} -output_ts_offset ${recipe.startSeconds}`),
    ...(constant === undefined ? [] : ['-muxrate', String(Math.round(constant * 8))]),
  ];
}
