import type { CONVERSION_SETTINGS } from './conversion-settings.ts';

type Values = {
  readonly [Name in keyof typeof CONVERSION_SETTINGS]: Name extends 'TS_FROM_HLS'
    ? string
    : Name extends 'HLS_FROM_TS'
      ? boolean
      : number;
};

/** The settings of conversion in the units of the program. */
export const toConversion = (values: Values) => ({
  tsFromHls: values.TS_FROM_HLS as 'all' | 'live' | 'off',
  hlsFromTs: values.HLS_FROM_TS,
  segmentMs: Math.round(values.HLS_SEGMENT_SECONDS * 1000),
  segmentBytes: values.HLS_SEGMENT_BYTES,
});
