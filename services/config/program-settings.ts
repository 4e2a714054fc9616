import Joi from 'joi';
import { flag } from './flag.ts';
import type { Setting } from './setting.ts';

const GROUP = 'Programs';

const program = (name: string, meaning: string): Setting => ({
  schema: Joi.string().allow('').default(name),
  group: GROUP,
  meaning,
});

const onOff = (fallback: boolean, meaning: string): Setting => ({
  schema: flag(fallback),
  group: GROUP,
  meaning,
});

/** Programs of others that are run where they are installed. */
export const PROGRAM_SETTINGS = {
  FFMPEG_PATH: program('ffmpeg', 'FFmpeg, by path or by a name that is on the path.'),
  FFPROBE_PATH: program('ffprobe', 'ffprobe, by path or by a name that is on the path.'),
  STREAMLINK_PATH: program('streamlink', 'Streamlink, likewise; only its version is asked for.'),
  YTDLP_PATH: program('yt-dlp', 'yt-dlp, by path or by a name that is on the path.'),
  YTDLP_ENABLED: onOff(true, '`POST /ytdlp/metadata` runs yt-dlp where it is installed.'),
  COOKIES_DIR: {
    schema: Joi.string().allow('').default(''),
    group: GROUP,
    meaning: 'Folder with the cookies files that yt-dlp may be given; none when empty.',
  },
  MEDIA_INFO: onOff(
    true,
    'A few seconds of each live source, as they pass, are looked at with ffprobe, for `media_info`. The source is not asked for them.',
  ),
} as const satisfies Record<string, Setting>;
