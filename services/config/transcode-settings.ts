import Joi from 'joi';
import { onOffIn } from './flag.ts';
import type { Setting } from './setting.ts';

const GROUP = 'Transcoding';

const onOff = onOffIn(GROUP);

const amount = (fallback: number, unit: string | undefined, meaning: string): Setting => ({
  schema: Joi.number().integer().min(0).max(1_000_000).default(fallback),
  group: GROUP,
  ...(unit === undefined ? {} : { unit }),
  meaning,
});

const seconds = (fallback: number, meaning: string): Setting => ({
  schema: Joi.number().min(0).max(86_400).default(fallback),
  group: GROUP,
  unit: 'seconds',
  meaning,
});

/** FFmpeg in worker processes; `docs/transcoding.md` has the whole of it. */
export const TRANSCODE_SETTINGS = {
  TRANSCODE_SLOTS: {
    schema: Joi.number().integer().min(0).max(1000).default(0),
    group: GROUP,
    meaning:
      'Transcodes that one worker runs at once, whatever they do; 0 takes as many as CPU slots and GPU sessions together. Who comes when all are in use gets status 503.',
  },
  TRANSCODE_CPU_SLOTS: amount(
    0,
    undefined,
    'Pictures that one worker encodes in software at once, each size of a ladder counted; 0 takes one per processor, and two at least.',
  ),
  TRANSCODE_GPU_SESSIONS: {
    schema: Joi.number().integer().min(1).max(1000).default(8),
    group: GROUP,
    meaning:
      'Pictures that the device of one worker encodes at once, each size of a ladder counted. Drivers for consumer cards limit their sessions; what comes beyond is encoded in software.',
  },
  TRANSCODE_MAX_MEMORY: amount(
    4096,
    'MiB',
    'A run of FFmpeg that holds more memory is ended and replaced; 0 for no limit.',
  ),
  TRANSCODE_MAX_CPU: amount(
    0,
    'percent of one processor',
    'A run of FFmpeg that uses more for ten seconds is ended and replaced; 0 for no limit.',
  ),
  TRANSCODE_HARDWARE: {
    schema: Joi.string().valid('auto', 'nvenc', 'vaapi', 'qsv', 'software').default('auto'),
    group: GROUP,
    meaning:
      'What built-in profiles encode with: `auto` tries what a worker has when it starts and takes the first that works.',
  },
  TRANSCODE_DEVICE: {
    schema: Joi.string().allow('').default(''),
    group: GROUP,
    meaning: 'Render node for VAAPI and QSV; empty takes the first below `/dev/dri`.',
  },
  TRANSCODE_TRUST_TEMPLATES: onOff(
    false,
    'Raw templates may use every option of FFmpeg, and so read and write files of the worker: for installations whose callers are their operators.',
  ),
  TRANSCODE_START_TIMEOUT: seconds(
    10,
    'How long a worker may take to come, and FFmpeg to give its first bytes.',
  ),
  TRANSCODE_STALE_TIMEOUT: seconds(
    15,
    'FFmpeg that gets media and gives none for this long has stalled, and is replaced.',
  ),
  SHARED_STREAM_GRACE: seconds(3, 'How long a transcode goes on when its last viewer has left.'),
  INTERNAL_HOST: {
    schema: Joi.string().default('127.0.0.1'),
    group: GROUP,
    meaning:
      'Address where api processes serve their workers and each other. With some of them on other machines: one of the private network.',
  },
  INTERNAL_PORT: {
    schema: Joi.number().port().default(0),
    group: GROUP,
    meaning: 'Port of that; 0 takes a free one.',
  },
  INTERNAL_URL: {
    schema: Joi.string()
      .uri({ scheme: ['http'] })
      .allow('')
      .default(''),
    group: GROUP,
    meaning:
      'How workers and other api processes reach it, where that is not `http://INTERNAL_HOST:INTERNAL_PORT`, as behind `0.0.0.0`.',
  },
} as const satisfies Record<string, Setting>;
