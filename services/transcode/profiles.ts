import type { Recipe, VideoRecipe } from './recipe.ts';
import type { Variables } from './template.ts';

/** A profile of an app's own: a template under a name. */
export type UserProfile = {
  readonly name: string;
  readonly description: string;
  /** As raw templates are. */
  readonly template: string;
  readonly createdAtMs: number;
};

export type BuiltInProfile = {
  readonly name: string;
  readonly description: string;
  /** The template that m3u-proxy has for it on software; what is shown of it. */
  readonly template: string;
  readonly recipe: (variables: Variables) => Recipe;
};

const video = (
  rate: VideoRecipe['rate'],
  more: Partial<VideoRecipe> = {},
): Recipe['video'] & object => ({ codec: 'h264', rate, ...more });

const bitrate = ({ video_bitrate: given = '2M' }: Variables): VideoRecipe['rate'] => ({
  bitrate: given,
});

/** The seven that m3u-proxy has (contract 9.1). */
export const BUILT_IN_PROFILES: readonly BuiltInProfile[] = [
  {
    name: 'default',
    description: 'Default profile with hardware acceleration',
    template:
      '-i {input_url} -c:v libx264 -preset faster -b:v {video_bitrate|2M} -c:a aac -b:a {audio_bitrate|128k} -f {format|mp4} {output_args|}',
    recipe: (given) => ({
      video: video(bitrate(given)),
      audioBitrate: given['audio_bitrate'] ?? '128k',
    }),
  },
  {
    name: 'hq',
    description: 'High quality transcoding',
    template:
      '-i {input_url} -c:v libx264 -preset faster -crf {crf|23} -c:a aac -b:a 192k -f {format|mp4} {output_args|}',
    recipe: ({ crf: quality = '23' }) => ({ video: video({ quality }), audioBitrate: '192k' }),
  },
  {
    name: 'lowlatency',
    description: 'Low latency streaming',
    template:
      '-i {input_url} -c:v libx264 -preset faster -tune zerolatency -b:v 1M -c:a aac -b:a 96k -f {format|mpegts} {output_args|}',
    recipe: () => ({
      video: video({ bitrate: '1M' }, { isLowLatency: true }),
      audioBitrate: '96k',
    }),
  },
  {
    name: '720p',
    description: '720p transcoding',
    template:
      '-i {input_url} -c:v libx264 -preset faster -vf scale=1280:720 -b:v 2500k -c:a aac -b:a 128k -f {format|mp4} {output_args|}',
    recipe: () => ({
      video: video({ bitrate: '2500k' }, { size: { width: 1280, height: 720 } }),
      audioBitrate: '128k',
    }),
  },
  {
    name: '1080p',
    description: '1080p transcoding',
    template:
      '-i {input_url} -c:v libx264 -preset faster -vf scale=1920:1080 -b:v 5000k -c:a aac -b:a 192k -f {format|mp4} {output_args|}',
    recipe: () => ({
      video: video({ bitrate: '5000k' }, { size: { width: 1920, height: 1080 } }),
      audioBitrate: '192k',
    }),
  },
  {
    name: 'hevc',
    description: 'HEVC/H.265 encoding',
    template:
      '-i {input_url} -c:v libx265 -preset faster -b:v 2M -c:a aac -b:a 128k -f {format|mp4} {output_args|}',
    recipe: () => ({ video: video({ bitrate: '2M' }, { codec: 'hevc' }), audioBitrate: '128k' }),
  },
  {
    name: 'audio',
    description: 'Audio only transcoding',
    template: '-i {input_url} -vn -c:a aac -b:a 192k -f {format|adts} {output_args|}',
    recipe: () => ({ audioBitrate: '192k' }),
  },
];

export const builtIn = (name: string): BuiltInProfile | undefined =>
  BUILT_IN_PROFILES.find((profile) => profile.name === name);
