/** What comes out of a run. */
export type TranscodeOutput = {
  /** `hls`: players get a playlist. The run itself writes a transport stream all the same. */
  readonly delivery: 'piped' | 'hls';
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
export function outputOf(format: string, delivery: 'piped' | 'hls'): TranscodeOutput | undefined {
  const name = delivery === 'hls' ? 'mpegts' : format.toLowerCase();
  const container = ALIASES[name] ?? name;
  const known = Object.hasOwn(CONTAINERS, container) ? CONTAINERS[container] : undefined;
  return known && { delivery, container, ...known };
}
