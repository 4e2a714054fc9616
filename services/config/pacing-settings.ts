import Joi from 'joi';
import { flag } from './flag.ts';
import { rate, size } from './quantity.ts';
import type { Setting } from './setting.ts';

const GROUP = 'Pacing';

/** How fast viewers are served, and what is read ahead; `docs/pacing.md` explains. */
export const PACING_SETTINGS = {
  THROTTLE: {
    schema: rate(),
    group: GROUP,
    unit: 'rate, as `8000kbps` or `1.5MB/s`',
    meaning: 'Most that one response with a file may take per second; 0 for no limit.',
  },
  THROTTLE_LIVE: {
    schema: flag(false),
    group: GROUP,
    meaning:
      '`THROTTLE` also holds for live viewers. One whose stream needs more falls behind, as a slow viewer does.',
  },
  FILE_BUFFER: {
    schema: size(),
    group: GROUP,
    unit: 'size, as `8MiB`',
    meaning:
      'How far a file is read ahead of its viewer, for each response, so that pauses of the source are not seen; 0 for not at all.',
  },
  FILE_BUFFER_FILL: {
    schema: size(),
    group: GROUP,
    unit: 'size, as `2MiB`',
    meaning:
      'How much of `FILE_BUFFER` is filled before the first byte is sent; after five seconds it is sent in any case.',
  },
  LIVE_BURST: {
    schema: Joi.number().min(0).max(600).default(0),
    group: GROUP,
    unit: 'seconds',
    meaning:
      'How much of the past a viewer gets at once that joins a shared stream, so that its player has something in store; half of `VIEWER_BUFFER_BYTES` at most. 0: since the last keyframe.',
  },
  LIVE_DELAY: {
    schema: Joi.number().min(0).max(120).default(0),
    group: GROUP,
    unit: 'seconds',
    meaning:
      'How far live viewers are held behind the source: a silence or a switch that is shorter is not seen. A viewer that comes first waits for it, unless the source begins ahead of time.',
  },
  LIVE_DELAY_BUFFER: {
    schema: size(64 * 1024 * 1024),
    group: GROUP,
    unit: 'size, as `64MiB`',
    meaning:
      'Most that one stream keeps for `LIVE_DELAY`; where it is too little, the delay is shorter.',
  },
} as const satisfies Record<string, Setting>;
