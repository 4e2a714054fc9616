import type { PACING_SETTINGS } from './pacing-settings.ts';

type Name = keyof typeof PACING_SETTINGS;

export type PacingFlag = 'THROTTLE_LIVE';

type PacingValues = { readonly [Key in Name]: Key extends PacingFlag ? boolean : number };

/** How fast viewers are served; bytes and bytes per second, 0 for off. */
export const toPacing = (values: PacingValues) =>
  ({
    files: {
      throttleBytesPerSecond: values.THROTTLE,
      bufferBytes: values.FILE_BUFFER,
      fillBytes: Math.min(values.FILE_BUFFER_FILL, values.FILE_BUFFER),
    },
    live: {
      burstMs: Math.round(values.LIVE_BURST * 1000),
      delayMs: Math.round(values.LIVE_DELAY * 1000),
      delayBytes: values.LIVE_DELAY_BUFFER,
    },
    liveBytesPerSecond: values.THROTTLE_LIVE ? values.THROTTLE : 0,
  }) as const;
