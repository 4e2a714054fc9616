import Joi from 'joi';
import { flag } from './flag.ts';
import type { Setting } from './setting.ts';

/** What players get that ask for the other form than the source has. */
export const CONVERSION_SETTINGS = {
  TS_FROM_HLS: {
    schema: Joi.string().valid('all', 'live', 'off').default('all'),
    group: 'Delivery',
    meaning:
      '`/stream` of an HLS source: `all` makes one transport stream of it; `live` leads players of finished playlists to `/hls`, where they can seek; `off` leads all there.',
  },
  HLS_FROM_TS: {
    schema: flag(true),
    group: 'Delivery',
    meaning: '`/hls` of a live transport stream is cut into segments, in memory.',
  },
  HLS_SEGMENT_SECONDS: {
    schema: Joi.number().min(1).max(10).default(4),
    group: 'Delivery',
    unit: 'seconds',
    meaning:
      'How long those segments should be; where they can end, keyframes say: mostly between half and one and a half of this.',
  },
  HLS_SEGMENT_BYTES: {
    schema: Joi.number()
      .integer()
      .min(4 * 1024 * 1024)
      .default(64 * 1024 * 1024),
    group: 'Delivery',
    unit: 'bytes',
    meaning: 'What the segments of one stream may take in memory.',
  },
} as const satisfies Record<string, Setting>;
