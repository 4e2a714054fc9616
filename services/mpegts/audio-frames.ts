import type { Codec } from './codec.ts';
import { TICKS_PER_SECOND } from './timestamps.ts';

/** One coded frame of audio, as its header describes it. */
export type AudioFrame = {
  readonly sizeBytes: number;
  readonly samples: number;
  readonly samplesPerSecond: number;
};

/** Bytes from the start of a frame that its header needs. */
export const AUDIO_HEADER_BYTES = 8;

type HeaderReader = (bytes: Buffer, at: number) => AudioFrame | undefined;

/**
 * Reads the header of the frame that begins at `at`; undefined when none does or the codec is not
 * one whose frames stand one behind the other. `AUDIO_HEADER_BYTES` must be there.
 */
export function audioFrameAt(codec: Codec, bytes: Buffer, at: number): AudioFrame | undefined {
  const frame = READERS[codec]?.(bytes, at);
  return frame !== undefined && frame.sizeBytes >= AUDIO_HEADER_BYTES ? frame : undefined;
}

/** Whether audio of this codec can be cut between frames. */
export const hasAudioFrames = (codec: Codec): boolean => READERS[codec] !== undefined;

/** How long so many samples sound, in 90 kHz ticks. */
export const samples90k = (samples: number, samplesPerSecond: number): number =>
  Math.round((samples * TICKS_PER_SECOND) / samplesPerSecond);

const frameOf = (
  sizeBytes: number,
  samples: number,
  samplesPerSecond: number | undefined,
): AudioFrame | undefined =>
  samplesPerSecond === undefined ? undefined : { sizeBytes, samples, samplesPerSecond };

const AAC_RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000,
  7350,
];

/** ADTS, ISO/IEC 14496-3 §1.A.3.2. */
function aac(bytes: Buffer, at: number): AudioFrame | undefined {
  if ((bytes.readUInt16BE(at) & 0xfff6) !== 0xfff0) return undefined;
  const rate = AAC_RATES[(bytes.readUInt8(at + 2) >> 2) & 0x0f];
  const size = (bytes.readUInt32BE(at + 2) >> 5) & 0x1fff;
  const blocks = (bytes.readUInt8(at + 6) & 0x03) + 1;
  return frameOf(size, 1024 * blocks, rate);
}

/** Kilobits per second by layer, MPEG-1 and the lower rates of MPEG-2 (ISO/IEC 11172-3 §2.4.2.3). */
const MPEG_KILOBITS = {
  first: [
    [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  ],
  low: [
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  ],
} as const;
const MPEG_RATES = [44_100, 48_000, 32_000];

/** By the two bits of the version: how often the rates of MPEG-1 are halved; 0 is not used. */
const MPEG_RATE_DIVISORS = [4, 0, 2, 1];

function mpegAudio(bytes: Buffer, at: number): AudioFrame | undefined {
  const second = bytes.readUInt8(at + 1);
  const third = bytes.readUInt8(at + 2);
  if (bytes[at] !== 0xff || second < 0xe0) return undefined;
  const version = (second >> 3) & 0x03;
  const layer = 4 - ((second >> 1) & 0x03);
  const rate = mpegRate(version, (third >> 2) & 0x03);
  const kilobits = MPEG_KILOBITS[version === 3 ? 'first' : 'low'][layer - 1]?.[third >> 4] ?? 0;
  if (rate === undefined || kilobits === 0) return undefined;
  const samples = mpegSamples(layer, version === 3);
  const slotBytes = layer === 1 ? 4 : 1;
  const slots = Math.floor((samples * kilobits * 125) / rate / slotBytes);
  return frameOf((slots + ((third >> 1) & 1)) * slotBytes, samples, rate);
}

function mpegRate(version: number, code: number): number | undefined {
  const divisor = MPEG_RATE_DIVISORS[version] ?? 0;
  const rate = MPEG_RATES[code];
  return divisor === 0 || rate === undefined ? undefined : rate / divisor;
}

function mpegSamples(layer: number, isFirst: boolean): number {
  if (layer === 1) return 384;
  return layer === 3 && !isFirst ? 576 : 1152;
}

const AC3_RATES = [48_000, 44_100, 32_000];
const AC3_KILOBITS = [
  32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640,
];
const AC3_SAMPLES = 1536;
const EAC3_BLOCKS = [1, 2, 3, 6];

/** ETSI TS 102 366: AC-3 in §4.3, E-AC-3, told by its version, in annex E. */
function ac3(bytes: Buffer, at: number): AudioFrame | undefined {
  if (bytes.readUInt16BE(at) !== 0x0b77) return undefined;
  return bytes.readUInt8(at + 5) >> 3 > 10 ? eac3Frame(bytes, at) : ac3Frame(bytes, at);
}

function ac3Frame(bytes: Buffer, at: number): AudioFrame | undefined {
  const code = bytes.readUInt8(at + 4);
  const rate = AC3_RATES[code >> 6];
  const kilobits = AC3_KILOBITS[(code & 0x3f) >> 1];
  if (rate === undefined || kilobits === undefined) return undefined;
  const words = Math.floor((kilobits * 1000 * AC3_SAMPLES) / rate / 16);
  const isPadded = rate === 44_100 && (code & 1) === 1;
  return frameOf(2 * (words + (isPadded ? 1 : 0)), AC3_SAMPLES, rate);
}

function eac3Frame(bytes: Buffer, at: number): AudioFrame | undefined {
  const size = 2 * ((bytes.readUInt16BE(at + 2) & 0x07ff) + 1);
  const code = bytes.readUInt8(at + 4);
  const isHalf = code >> 6 === 3;
  const rate = AC3_RATES[isHalf ? (code >> 4) & 0x03 : code >> 6];
  const blocks = isHalf ? 6 : (EAC3_BLOCKS[(code >> 4) & 0x03] ?? 6);
  // A dependent substream goes with the frame before it and lasts no longer.
  const isDependent = bytes.readUInt8(at + 2) >> 6 === 1;
  const perSecond = rate !== undefined && isHalf ? rate / 2 : rate;
  return frameOf(size, isDependent ? 0 : 256 * blocks, perSecond);
}

const READERS: Readonly<Partial<Record<Codec, HeaderReader>>> = {
  aac,
  'mpeg-audio': mpegAudio,
  ac3,
  eac3: ac3,
};
