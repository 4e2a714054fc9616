import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';

const DEADLINE_MS = 30_000;

/** The frames of one track in the order in which they are presented, in seconds. */
export type TrackFrames = {
  readonly kind: 'video' | 'audio';
  readonly count: number;
  readonly firstS: number;
  readonly lastS: number;
  readonly stepsBack: number;
  /** The longest time from one frame to the next. */
  readonly maxStepS: number;
};

export type Decoding = {
  /** What ffmpeg complained of; it stops at the first error. */
  readonly complaints: string;
  readonly tracks: readonly TrackFrames[];
};

export type DecodingOptions = {
  /** Goes on after errors. */
  readonly isLenient?: boolean;
};

/** Decodes every frame of a transport stream with one ffmpeg, and tells when each is presented. */
export async function decodeFrames(
  bytes: Buffer,
  { isLenient = false }: DecodingOptions = {},
): Promise<Decoding> {
  const strict = isLenient ? [] : '-err_detect explode -xerror'.split(' ');
  // Times as they are: at a frame rate of ffmpeg's choice a faster source would be found too fast.
  const output = '-map 0 -fps_mode passthrough -enc_time_base:v 1:90000 -f framecrc -'.split(' ');
  const input = '-hide_banner -v error -threads 1 -f mpegts -i pipe:0'.split(' ');
  const child = spawn('ffmpeg', [...strict, ...input, ...output], { timeout: DEADLINE_MS });
  const exited = once(child, 'close');
  child.stdin.on('error', () => {
    // It stops reading at the first error.
  });
  child.stdin.end(bytes);
  const [complaints, frames] = await Promise.all([text(child.stderr), buffer(child.stdout)]);
  await exited;
  return { complaints, tracks: tracksOf(frames.toString()) };
}

/** Lines of framecrc: `#tb 0: 1/90000`, `#media_type 0: video`, `0, dts, pts, duration, size, crc`. */
function tracksOf(lines: string): readonly TrackFrames[] {
  const kinds = [...lines.matchAll(/^#media_type (\d+): (video|audio)$/gm)];
  return kinds.map(([, index = '', kind]) => {
    const base = new RegExp(`^#tb ${index}: (\\d+)/(\\d+)`, 'm').exec(lines);
    const unitS = Number(base?.[1]) / Number(base?.[2]);
    const rows = lines.matchAll(new RegExp(`^${index},\\s*-?\\d+,\\s*(-?\\d+),`, 'gm'));
    const times = Array.from(rows, ([, pts]) => Number(pts) * unitS);
    return { kind: kind as TrackFrames['kind'], ...summed(times) };
  });
}

function summed(times: readonly number[]) {
  const steps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  return {
    count: times.length,
    firstS: times[0] ?? 0,
    lastS: times.at(-1) ?? 0,
    stepsBack: steps.filter((step) => step <= 0).length,
    maxStepS: steps.reduce((most, step) => Math.max(most, step), 0),
  };
}
