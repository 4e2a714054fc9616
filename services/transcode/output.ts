type Delivery = 'piped' | 'hls';

/** What comes out of a run. */
export type TranscodeOutput = {
  /** `hls`: players get a playlist. The run writes one file all the same, which is cut by us. */
  readonly delivery: Delivery;
  /** FFmpeg's name of the container that the run writes. */
  readonly container: string;
  readonly contentType: string;
  /** A viewer can begin in the middle of it; of others each viewer needs a run of its own. */
  readonly isJoinable: boolean;
};

type Container = { readonly contentType: string; readonly isJoinable: boolean };

const CONTAINERS: Readonly<Record<string, Container>> = {
  mpegts: { contentType: 'video/mp2t', isJoinable: true },
  mp4: { contentType: 'video/mp4', isJoinable: false },
  matroska: { contentType: 'video/x-matroska', isJoinable: false },
  webm: { contentType: 'video/webm', isJoinable: false },
  flv: { contentType: 'video/x-flv', isJoinable: false },
  mpeg: { contentType: 'video/mpeg', isJoinable: true },
  adts: { contentType: 'audio/aac', isJoinable: true },
  mp3: { contentType: 'audio/mpeg', isJoinable: true },
  ogg: { contentType: 'application/ogg', isJoinable: false },
};

/** Words that people write for them. */
const ALIASES: Readonly<Record<string, string>> = {
  ts: 'mpegts',
  mkv: 'matroska',
  mov: 'mp4',
  m4v: 'mp4',
  m4a: 'mp4',
  fmp4: 'mp4',
  aac: 'adts',
  mpg: 'mpeg',
  vob: 'mpeg',
};

/** What a run writes whose format is called so; undefined for a container that it cannot write. */
export function outputOf(format: string): TranscodeOutput | undefined {
  const name = format.toLowerCase();
  const container = ALIASES[name] ?? name;
  const known = Object.hasOwn(CONTAINERS, container) ? CONTAINERS[container] : undefined;
  return known && { delivery: 'piped', container, ...known };
}

/**
 * What a run writes that is cut into segments: a transport stream, or fragmented MP4, which can be
 * joined as well, since it is cut by whoever reads it.
 */
export const hlsOutput = (isFragmented: boolean): TranscodeOutput => ({
  delivery: 'hls',
  container: isFragmented ? 'mp4' : 'mpegts',
  contentType: isFragmented ? 'video/mp4' : 'video/mp2t',
  isJoinable: true,
});
