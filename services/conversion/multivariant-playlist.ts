import type { MediaTrack } from '#fmp4';

/** One list that players choose from. */
export type Variant = {
  readonly track: MediaTrack;
  /** The most that a segment takes, in bits per second, and what they take on the whole. */
  readonly peakBps: number;
  readonly averageBps: number;
  readonly framesPerSecond: number;
  readonly url: string;
};

const GROUP = 'audio';

/** Writes a multivariant playlist (RFC 8216 §4.3.4): pictures to choose from, with one sound. */
export function multivariantPlaylist(variants: readonly Variant[]): string {
  const audio = variants.find(({ track }) => track.kind === 'audio');
  const videos = variants.filter(({ track }) => track.kind === 'video');
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    ...(audio === undefined ? [] : [audioLine(audio)]),
    ...videos.flatMap((video) => [streamLine(video, audio), video.url]),
  ];
  return `${lines.join('\n')}\n`;
}

const audioLine = ({ url }: Variant): string =>
  `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="${GROUP}",NAME="audio",DEFAULT=YES,AUTOSELECT=YES,URI="${url}"`;

function streamLine({ track, peakBps, averageBps, framesPerSecond }: Variant, audio?: Variant) {
  const codecs = [track.codec, ...(audio === undefined ? [] : [audio.track.codec])];
  return `#EXT-X-STREAM-INF:${[
    `BANDWIDTH=${Math.ceil(peakBps + (audio?.peakBps ?? 0))}`,
    `AVERAGE-BANDWIDTH=${Math.ceil(averageBps + (audio?.averageBps ?? 0))}`,
    `RESOLUTION=${track.width}x${track.height}`,
    `CODECS="${codecs.join(',')}"`,
    ...(framesPerSecond > 0 ? [`FRAME-RATE=${framesPerSecond.toFixed(3)}`] : []),
    ...(audio === undefined ? [] : [`AUDIO="${GROUP}"`]),
  ].join(',')}`;
}
