import Joi from 'joi';
import { onOffIn } from './flag.ts';
import type { Setting } from './setting.ts';

const GROUP = 'Slates';

const onOff = onOffIn(GROUP);

const seconds = (fallback: number, meaning: string): Setting => ({
  schema: Joi.number().min(0).max(86_400).default(fallback),
  group: GROUP,
  unit: 'seconds',
  meaning,
});

/** What viewers see while no source of a live stream works; `docs/slates.md` has the whole of it. */
export const SLATE_SETTINGS = {
  SLATES: onOff(
    true,
    'Who watches a live stream sees a looping video while none of its sources works, and tries go on for as long. Off: the picture stands still, until `STREAM_TOTAL_TIMEOUT`.',
  ),
  SLATES_DIR: {
    schema: Joi.string().allow('').default(''),
    group: GROUP,
    meaning:
      "Folder with the operator's own slates, MPEG-TS of at most 10 MiB each, such as `channel_unavailable.ts`. Read at start. For what is not there a built-in one is made with FFmpeg.",
  },
  SLATE_AFTER: seconds(1, 'Nothing has come for this long before a slate is shown.'),
  SLATE_TIMEOUT: seconds(
    0,
    'How long a slate may be shown before its viewers are let go; 0 for no limit.',
  ),
  SLATE_FOR_NEW_VIEWERS: onOff(
    false,
    'Who comes when no source works sees a slate too, with status 200. Off: an error with its status.',
  ),
} as const satisfies Record<string, Setting>;
