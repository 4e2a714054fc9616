import type { TRANSCODE_SETTINGS } from './transcode-settings.ts';

type Strings = 'TRANSCODE_HARDWARE' | 'TRANSCODE_DEVICE' | 'INTERNAL_HOST' | 'INTERNAL_URL';

type Values = {
  readonly [Name in keyof typeof TRANSCODE_SETTINGS]: Name extends Strings
    ? string
    : Name extends 'TRANSCODE_TRUST_TEMPLATES'
      ? boolean
      : number;
};

const MIB = 1024 * 1024;
const CPU_WINDOW_MS = 10_000;

const ms = (seconds: number): number => Math.round(seconds * 1000);

/** The settings of transcoding in the units of the program. */
export const toTranscode = (values: Values) => ({
  /** 0: as many as the other two allow; of `cpuSlots` 0: as many as there are processors. */
  slots: values.TRANSCODE_SLOTS,
  cpuSlots: values.TRANSCODE_CPU_SLOTS,
  gpuSessions: values.TRANSCODE_GPU_SESSIONS,
  /** Of one run; `undefined`: any amount. */
  limits: {
    memoryBytes: values.TRANSCODE_MAX_MEMORY * MIB || undefined,
    cpuPercent: values.TRANSCODE_MAX_CPU || undefined,
    windowMs: CPU_WINDOW_MS,
  },
  hardware: values.TRANSCODE_HARDWARE as 'auto' | 'nvenc' | 'vaapi' | 'qsv' | 'software',
  device: values.TRANSCODE_DEVICE === '' ? undefined : values.TRANSCODE_DEVICE,
  trustsTemplates: values.TRANSCODE_TRUST_TEMPLATES,
  startMs: ms(values.TRANSCODE_START_TIMEOUT),
  staleMs: ms(values.TRANSCODE_STALE_TIMEOUT),
  graceMs: ms(values.SHARED_STREAM_GRACE),
  internal: {
    host: values.INTERNAL_HOST,
    port: values.INTERNAL_PORT,
    /** `undefined`: host and port, as they turn out. */
    url: values.INTERNAL_URL === '' ? undefined : values.INTERNAL_URL,
  },
});
