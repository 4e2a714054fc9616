import Joi from 'joi';
import { onOffIn } from './flag.ts';
import type { Setting } from './setting.ts';

const GROUP = 'Programs';

const program = (name: string, meaning: string): Setting => ({
  schema: Joi.string().allow('').default(name),
  group: GROUP,
  meaning,
});

const onOff = onOffIn(GROUP);

/** Programs of others that are run where they are installed. */
export const PROGRAM_SETTINGS = {
  FFMPEG_PATH: program('ffmpeg', 'FFmpeg, by path or by a name that is on the path.'),
  FFPROBE_PATH: program('ffprobe', 'ffprobe, by path or by a name that is on the path.'),
  STREAMLINK_PATH: program('streamlink', 'Streamlink, by path or by a name that is on the path.'),
  STREAMLINK_ENABLED: onOff(true, 'Streams may have Streamlink as their resolver.'),
  YTDLP_PATH: program('yt-dlp', 'yt-dlp, by path or by a name that is on the path.'),
  YTDLP_ENABLED: onOff(
    true,
    'Streams may have yt-dlp as their resolver, and `POST /ytdlp/metadata` answers.',
  ),
  RESOLVER_SLOTS: {
    schema: Joi.number().integer().min(1).max(1000).default(8),
    group: GROUP,
    meaning: 'Programs of resolvers that one worker runs at once.',
  },
  RESOLVER_START_TIMEOUT: {
    schema: Joi.number().min(1).max(3600).default(45),
    group: GROUP,
    unit: 'seconds',
    meaning: 'How long a resolver may take to find media.',
  },
  COOKIES_DIR: {
    schema: Joi.string().allow('').default(''),
    group: GROUP,
    meaning:
      'Folder with the cookies files that Streamlink and yt-dlp may be given; none when empty.',
  },
  MEDIA_INFO: onOff(
    true,
    'A few seconds of each live source, as they pass, are looked at with ffprobe, for `media_info`. The source is not asked for them.',
  ),
} as const satisfies Record<string, Setting>;
