import { describe, expect, it } from 'vitest';
import { KeyframeScan } from '../../../services/mpegts/keyframe-scan.ts';
import type { Codec } from '#mpegts';

/** Codec, whether the sender says random access, the picture's first bytes, and the verdict. */
type Row = readonly [name: string, Codec, boolean, string, 'key' | 'plain'];

const AUD = '0000000109f0';
const SETS = '00000001674d401f0000000168ee3c80';
const RECOVERY = '000001060601c480';
/** A buffering period of 2 bytes and, in the same unit, a recovery point. */
const PERIOD_AND_RECOVERY = '00000106000240800601c480';
const LONG_MESSAGE = '0000010605040102034780';

const ROWS: readonly Row[] = [
  ['H.264 IDR with sets', 'h264', false, `${AUD}${SETS}0000016588`, 'key'],
  ['H.264 IDR without sets', 'h264', false, `${AUD}0000016588`, 'plain'],
  ['H.264 IDR without sets, announced', 'h264', true, `${AUD}0000016588`, 'key'],
  ['H.264 recovery point with sets', 'h264', false, `${SETS}${RECOVERY}000001419a`, 'key'],
  ['H.264 recovery point without sets', 'h264', false, `${RECOVERY}000001419a`, 'plain'],
  ['H.264 recovery point second', 'h264', false, `${SETS}${PERIOD_AND_RECOVERY}000001419a`, 'key'],
  ['H.264 another message', 'h264', false, `${SETS}${LONG_MESSAGE}000001419a`, 'plain'],
  ['H.264 intra slice with sets', 'h264', false, `${SETS}0000014188`, 'key'],
  ['H.264 plain slice with sets', 'h264', false, `${SETS}000001419a`, 'plain'],
  ['H.264 plain slice, wrongly announced', 'h264', true, `${AUD}000001419a`, 'plain'],
  ['HEVC IDR with sets', 'hevc', false, '0000000140010c0000014201010000012601af', 'key'],
  ['HEVC CRA with sets', 'hevc', false, '00000001420101000000012a01af', 'key'],
  ['HEVC CRA without sets', 'hevc', false, '000000012a01af', 'plain'],
  ['HEVC trailing picture', 'hevc', true, '000000014601500000010201d0', 'plain'],
  ['MPEG-2 sequence and intra picture', 'mpeg2-video', false, '000001b31612000001000008', 'key'],
  ['MPEG-2 intra picture alone', 'mpeg2-video', false, '00000100000800', 'plain'],
  ['MPEG-2 predicted picture', 'mpeg2-video', false, '000001b31612000001000010', 'plain'],
  ['unknown codec, announced', 'vc1', true, '00', 'key'],
  ['unknown codec', 'vc1', false, '00', 'plain'],
];

describe('recognising a keyframe', () => {
  it.each(ROWS)('%s', (_name, codec, hasIndicator, hex, verdict) => {
    const bytes = Buffer.from(hex, 'hex');
    const scan = new KeyframeScan(codec);
    scan.begin(hasIndicator, true);
    scan.feed(bytes, 0, bytes.length);
    expect(scan.verdict).toBe(verdict);
  });

  it.each(ROWS)('%s, byte by byte', (_name, codec, hasIndicator, hex, verdict) => {
    const bytes = Buffer.from(hex, 'hex');
    const scan = new KeyframeScan(codec);
    scan.begin(hasIndicator, true);
    for (let at = 0; at < bytes.length; at += 1) scan.feed(bytes, at, at + 1);
    expect(scan.verdict).toBe(verdict);
  });

  it('believes the sender where the picture cannot be read', () => {
    const scan = new KeyframeScan('h264');
    scan.begin(true, false);
    expect(scan.verdict).toBe('key');
  });

  it('does not read on for ever', () => {
    const scan = new KeyframeScan('h264');
    scan.begin(true, true);
    for (let n = 0; n < 100; n += 1) scan.feed(Buffer.alloc(184, 7), 0, 184);
    expect(scan.verdict).toBe('key');
  });
});
