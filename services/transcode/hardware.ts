/** What can encode. `software` is always there. */
export const HARDWARE_KINDS = ['nvenc', 'vaapi', 'qsv', 'software'] as const;
export type HardwareKind = (typeof HARDWARE_KINDS)[number];

/** What a worker encodes with, found out by trying. */
export type Hardware = {
  readonly kind: HardwareKind;
  /** The render node, for `vaapi` and `qsv`. */
  readonly device: string | undefined;
};

export const SOFTWARE: Hardware = { kind: 'software', device: undefined };

export type Codec = 'h264' | 'hevc';

const ENCODERS = {
  software: { h264: 'libx264', hevc: 'libx265' },
  nvenc: { h264: 'h264_nvenc', hevc: 'hevc_nvenc' },
  vaapi: { h264: 'h264_vaapi', hevc: 'hevc_vaapi' },
  qsv: { h264: 'h264_qsv', hevc: 'hevc_qsv' },
} as const satisfies Record<HardwareKind, Record<Codec, string>>;

export const encoderOf = ({ kind }: Hardware, codec: Codec): string => ENCODERS[kind][codec];

const DEFAULT_DEVICE = '/dev/dri/renderD128';

/** What stands before the input. Decoding that the device cannot do falls back to software. */
export function hardwareInput({ kind, device = DEFAULT_DEVICE }: Hardware): readonly string[] {
  if (kind === 'nvenc') return ['-hwaccel', 'cuda'];
  if (kind === 'qsv') return ['-init_hw_device', `qsv=gpu:${device}`];
  if (kind === 'software') return [];
  return [
    '-init_hw_device',
    `vaapi=gpu:${device}`,
    '-hwaccel',
    'vaapi',
    '-hwaccel_output_format',
    'vaapi',
    '-hwaccel_device',
    'gpu',
    '-filter_hw_device',
    'gpu',
  ];
}

/** m3u-proxy's words for them, as `/info` and `/transcode/profiles` have it. */
export const hardwareWord = ({ kind }: Hardware): string =>
  ({ software: 'cpu', nvenc: 'nvidia', vaapi: 'vaapi', qsv: 'intel' })[kind];
