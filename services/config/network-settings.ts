import { join, resolve } from 'node:path';
import Joi from 'joi';
import { flag } from './flag.ts';
import type { Setting } from './setting.ts';

const GROUP = 'Networks';

const folder = (meaning: string): Setting => ({
  schema: Joi.string().allow('').default(''),
  group: GROUP,
  meaning,
});

const onOff = (meaning: string): Setting => ({ schema: flag(true), group: GROUP, meaning });

const seconds = (fallback: number, meaning: string): Setting => ({
  schema: Joi.number().min(0).max(31_536_000).default(fallback),
  group: GROUP,
  unit: 'seconds',
  meaning,
});

/** Broadcasts of networks and recordings; `docs/networks.md` has the whole of it. */
export const NETWORK_SETTINGS = {
  HLS_BROADCAST_DIR: folder(
    'Folder for the segments of networks; empty takes `broadcasts` in `DATA_DIR`. Workers and api processes on several machines have to share it.',
  ),
  DVR_RECORDING_DIR: folder('Folder for recordings, likewise; empty takes `dvr` in `DATA_DIR`.'),
  NETWORK_SLOTS: {
    schema: Joi.number().integer().min(1).max(1000).default(50),
    group: GROUP,
    meaning: 'Networks and recordings that one worker runs at once.',
  },
  BROADCAST_CALLBACK_TIMEOUT: seconds(
    3,
    'How long the receiver of a callback is waited for. One that is slower counts as told.',
  ),
  BROADCAST_START_FAILURE_GRACE: seconds(
    3,
    'A network whose FFmpeg lives for this long has started; it is told earlier when media comes.',
  ),
  BROADCAST_MAX_START_RETRIES: {
    schema: Joi.number().integer().min(1).max(1000).default(3),
    group: GROUP,
    meaning:
      'Starts of a network that may fail within `BROADCAST_START_RETRY_WINDOW` before the next has to wait.',
  },
  BROADCAST_START_RETRY_WINDOW: seconds(300, 'The time in which they count.'),
  BROADCAST_START_RETRY_COOLDOWN: seconds(15, 'How long the next start then has to wait.'),
  BROADCAST_SUBTITLE_SYNC_OFFSET_SECONDS: {
    schema: Joi.number().min(-60).max(60).default(0),
    group: GROUP,
    unit: 'seconds',
    meaning: 'Subtitles of networks are shown so much later.',
  },
  DVR_RESTART_WINDOW_SECONDS: seconds(
    60,
    'A recording that breaks off is gone on with; one without progress for this long has failed.',
  ),
  DVR_STALL_TIMEOUT_SECONDS: seconds(
    30,
    'FFmpeg that finishes no segment of a network or recording for this long is replaced.',
  ),
  BROADCAST_GC_ENABLED: onOff(
    'Folders of networks that are over are removed, with `HLS_GC_ENABLED`. Recordings stay until they are deleted.',
  ),
  HLS_GC_ENABLED: onOff('Old files of networks are removed.'),
  HLS_GC_INTERVAL: seconds(600, 'How often they are looked for.'),
  HLS_GC_AGE_THRESHOLD: seconds(
    3600,
    'A network that has been over for this long loses its files, and is forgotten.',
  ),
} as const satisfies Record<string, Setting>;

export type NetworkFlag = 'BROADCAST_GC_ENABLED' | 'HLS_GC_ENABLED';

type Values = {
  readonly [Name in keyof typeof NETWORK_SETTINGS]: Name extends NetworkFlag
    ? boolean
    : Name extends `${string}_DIR`
      ? string
      : number;
};

const ms = (value: number): number => Math.round(value * 1000);

/** The settings of networks in the units of the program. */
export const toNetworks = (values: Values, dataDir: string) => ({
  folder: folderOf(values.HLS_BROADCAST_DIR, join(dataDir, 'broadcasts')),
  recordings: folderOf(values.DVR_RECORDING_DIR, join(dataDir, 'dvr')),
  slots: values.NETWORK_SLOTS,
  callbackTimeoutMs: ms(values.BROADCAST_CALLBACK_TIMEOUT),
  limits: {
    mostFailures: values.BROADCAST_MAX_START_RETRIES,
    windowMs: ms(values.BROADCAST_START_RETRY_WINDOW),
    cooldownMs: ms(values.BROADCAST_START_RETRY_COOLDOWN),
  },
  run: {
    graceMs: ms(values.BROADCAST_START_FAILURE_GRACE),
    stallMs: ms(values.DVR_STALL_TIMEOUT_SECONDS),
    dvrWindowMs: ms(values.DVR_RESTART_WINDOW_SECONDS),
    subtitleOffsetMs: ms(values.BROADCAST_SUBTITLE_SYNC_OFFSET_SECONDS),
  },
  gc: {
    isOn: values.BROADCAST_GC_ENABLED && values.HLS_GC_ENABLED,
    intervalMs: ms(values.HLS_GC_INTERVAL),
    ageMs: ms(values.HLS_GC_AGE_THRESHOLD),
  },
});

const folderOf = (given: string, fallback: string): string =>
  given === '' ? fallback : resolve(given);
