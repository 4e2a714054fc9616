import Joi from 'joi';
import type { Setting } from './setting.ts';

const GROUP = 'Programs';

const program = (name: string, meaning: string): Setting => ({
  schema: Joi.string().allow('').default(name),
  group: GROUP,
  meaning,
});

/** Programs of others that are run where they are installed. */
export const PROGRAM_SETTINGS = {
  FFPROBE_PATH: program('ffprobe', 'ffprobe, by path or by a name that is on the path.'),
  MEDIA_INFO: {
    schema: Joi.boolean()
      .truthy('1', 'on', 'yes', 'y', 't')
      .falsy('0', 'off', 'no', 'n', 'f')
      .default(true),
    group: GROUP,
    meaning:
      'A few seconds of each live source, as they pass, are looked at with ffprobe, for `media_info`. The source is not asked for them.',
  },
} as const satisfies Record<string, Setting>;
