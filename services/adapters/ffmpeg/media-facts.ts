import type { MediaFacts } from '#streams';

type Fields = Readonly<Record<string, unknown>>;

/**
 * What ffprobe has found, by its JSON: the first video and the first audio track that it could make
 * out. Undefined when there is neither.
 */
export function mediaFactsOf(json: string): MediaFacts | undefined {
  const { format, streams } = fieldsOf(parsed(json));
  const tracks = (Array.isArray(streams) ? streams : []).map(fieldsOf);
  const video = trackOf(tracks, 'video');
  const audio = trackOf(tracks, 'audio');
  if (video === undefined && audio === undefined) return undefined;
  return {
    container: (textOf(fieldsOf(format)['format_name']) ?? '').split(',')[0]?.toUpperCase() ?? '',
    ...(video === undefined ? {} : videoFacts(video)),
    ...(audio === undefined ? {} : audioFacts(audio)),
  };
}

function videoFacts(video: Fields): Partial<MediaFacts> {
  const [width, height] = [numberOf(video['width']), numberOf(video['height'])];
  const fps = rateOf(video['avg_frame_rate']) ?? rateOf(video['r_frame_rate']);
  return {
    videoCodec: textOf(video['codec_name']) ?? 'unknown',
    ...(width > 0 && height > 0 ? { resolution: `${width}x${height}` } : {}),
    ...(fps === undefined ? {} : { fps }),
  };
}

function audioFacts(audio: Fields): Partial<MediaFacts> {
  const channels = channelsOf(textOf(audio['channel_layout']), numberOf(audio['channels']));
  return {
    audioCodec: textOf(audio['codec_name']) ?? 'unknown',
    ...(channels === undefined ? {} : { audioChannels: channels }),
  };
}

const BY_COUNT: Readonly<Record<number, string>> = { 1: 'mono', 2: 'stereo', 6: '5.1', 8: '7.1' };

/** `5.1(side)` is `5.1`. */
const channelsOf = (layout: string | undefined, count: number): string | undefined =>
  layout?.replace(/\(.*\)$/, '') ?? BY_COUNT[count];

/** `30000/1001` is 29.97; `0/0` is nothing. */
function rateOf(text: unknown): number | undefined {
  const [over = 0, under = 0] = (textOf(text) ?? '').split('/').map(Number);
  const rate = over / under;
  return rate > 0 && rate < 1000 ? Math.round(rate * 100) / 100 : undefined;
}

const trackOf = (tracks: readonly Fields[], type: string): Fields | undefined =>
  tracks.find((track) => track['codec_type'] === type);

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined; // It was ended in the middle.
  }
}
