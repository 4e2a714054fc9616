import Joi from 'joi';
import { onOffIn } from './flag.ts';
import type { Setting } from './setting.ts';

const GROUP = 'Detection';

const onOff = onOffIn(GROUP);

const seconds = (fallback: number, meaning: string): Setting => ({
  schema: Joi.number().positive().max(86_400).default(fallback),
  group: GROUP,
  unit: 'seconds',
  meaning,
});

const grace = (fallback: number, meaning: string): Setting => ({
  schema: Joi.number().min(0).max(86_400).default(fallback),
  group: GROUP,
  unit: 'seconds',
  meaning,
});

const share = (fallback: number, meaning: string): Setting => ({
  schema: Joi.number().positive().max(1).default(fallback),
  group: GROUP,
  meaning,
});

const times = (fallback: number, meaning: string): Setting => ({
  schema: Joi.number().integer().min(1).max(1_000_000).default(fallback),
  group: GROUP,
  meaning,
});

/** How bad live sources are told from good ones; `docs/detection.md` has the reasons. */
export const DETECTION_SETTINGS = {
  DETECT_STALL: onOff(
    true,
    'Judge a silent source by its own rhythm; off: `LIVE_CHUNK_TIMEOUT_SECONDS` alone.',
  ),
  STALL_FLOOR: seconds(0.3, 'No source that has a backup is called stalled before this.'),
  DETECT_PCR_STOP: onOff(true, 'A live source whose clock stands while bytes flow has failed.'),
  PCR_STOP_SECONDS: seconds(3, 'How long the clock has to stand.'),
  DETECT_BITRATE_DROP: onOff(
    true,
    'Leave a live source that sends far less than before, and less media than time passes.',
  ),
  BITRATE_DROP_SHARE: share(0.5, 'Of what it sent before: less is far less.'),
  BITRATE_DROP_SECONDS: seconds(5, 'How long it has to send less.'),
  DETECT_ERRORS: onOff(true, 'Leave a live source with too many missing or damaged packets.'),
  ERROR_SHARE: share(0.005, 'Of all packets of five seconds, at least 25: more is too many.'),
  DETECT_MISSING_TRACK: onOff(true, 'Leave a live source that has lost its pictures or its sound.'),
  MISSING_TRACK_SECONDS: seconds(5, 'How long they have to be missing.'),
  DETECT_SCRAMBLING: onOff(true, 'Leave a live source that was clear and is scrambled.'),
  DETECT_WRONG_TYPE: onOff(true, 'A live source that turns into something else has failed.'),
  DETECT_LOOPING: onOff(true, 'Leave a live source that repeats a short clip.'),
  LOOPING_MAX_SECONDS: seconds(60, 'A clip that is longer is a programme.'),
  ENABLE_BITRATE_MONITORING: onOff(
    false,
    'Leave a live source that sends less than `MIN_BITRATE_THRESHOLD`.',
  ),
  MIN_BITRATE_THRESHOLD: {
    schema: Joi.number().min(0).max(1e12).default(62_500),
    group: GROUP,
    unit: 'bytes per second',
    meaning: 'Less is too little.',
  },
  BITRATE_CHECK_INTERVAL: seconds(5, 'The rate is measured over each such interval.'),
  BITRATE_FAILOVER_THRESHOLD: times(3, 'Intervals below the threshold in a row.'),
  BITRATE_MONITORING_GRACE_PERIOD: grace(10, 'A source is not measured before.'),
  ENABLE_SILENCE_DETECTION: onOff(
    false,
    'Leave a live source whose sound is silent. A stream can say otherwise, also for the five below.',
  ),
  SILENCE_THRESHOLD_DB: {
    schema: Joi.number().min(-200).max(0).default(-50),
    group: GROUP,
    unit: 'dB',
    meaning: 'Sound below this level is silence.',
  },
  SILENCE_DURATION: seconds(3, 'How long a silence has to last for a sample to be silent.'),
  SILENCE_CHECK_INTERVAL: seconds(10, 'From one sample to the next.'),
  SILENCE_FAILOVER_THRESHOLD: times(3, 'Silent samples in a row.'),
  SILENCE_MONITORING_GRACE_PERIOD: grace(15, 'No sample is taken before.'),
} as const satisfies Record<string, Setting>;
