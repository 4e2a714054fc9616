import { execFileSync } from 'node:child_process';

const TIMEOUT_MS = 20_000;

export type FragmentedOptions = {
  readonly seconds?: number;
  /** Heights of its pictures; one track each. */
  readonly heights?: readonly number[];
  readonly hasSound?: boolean;
};

/** Fragmented MP4 as runs write it: pictures with a keyframe each second, and one sound track. */
export function fragmentedMp4(options: FragmentedOptions = {}): Buffer {
  const { seconds = 4, heights = [90], hasSound = true } = options;
  const sources = '-f lavfi -i testsrc2=size=320x180:rate=25 -f lavfi -i sine=frequency=440'.split(
    ' ',
  );
  const pictures = heights.flatMap((height, at) =>
    `-map 0:v -filter:v:${at} scale=-2:${height} -c:v:${at} libx264 -preset:v:${at} ultrafast -b:v:${at} ${height * 2}k`.split(
      ' ',
    ),
  );
  const sound = hasSound ? ['-map', '1:a', '-c:a', 'aac', '-b:a', '64k'] : [];
  const cut =
    '-force_key_frames expr:gte(t,n_forced) -pix_fmt yuv420p -frag_duration 1000000'.split(' ');
  const flags = ['-movflags', '+cmaf+delay_moov+frag_keyframe+default_base_moof', '-f', 'mp4'];
  const args = ['-v', 'error', ...sources, ...pictures, ...sound, ...cut, '-t', String(seconds)];
  return execFileSync('ffmpeg', [...args, ...flags, 'pipe:1'], {
    timeout: TIMEOUT_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
}
