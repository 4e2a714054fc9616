import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { audioFrameAt } from '../../../services/mpegts/audio-frames.ts';
import { AudioMeter } from '../../../services/mpegts/audio-meter.ts';
import type { Codec } from '#mpegts';
import { adtsFrame } from '../../support/ts-build.ts';

describe('the header of an audio frame', () => {
  it.each<[string, Codec, string, number, number, number]>([
    ['ADTS 48 kHz', 'aac', 'fff14c80191ffc00', 200, 1024, 48_000],
    ['MP2 128 kbit/s 48 kHz', 'mpeg-audio', 'fffd840000000000', 384, 1152, 48_000],
    ['MP3 128 kbit/s 44.1 kHz, padded', 'mpeg-audio', 'fffb920000000000', 418, 1152, 44_100],
    ['MPEG-2 layer 2 64 kbit/s 24 kHz', 'mpeg-audio', 'fff5840000000000', 384, 1152, 24_000],
    ['AC-3 192 kbit/s 48 kHz', 'ac3', '0b77000014400000', 768, 1536, 48_000],
    ['AC-3 192 kbit/s 44.1 kHz, padded', 'ac3', '0b77000055400000', 836, 1536, 44_100],
    ['E-AC-3 six blocks', 'eac3', '0b7701ff3f800000', 1024, 1536, 48_000],
  ])('%s', (_name, codec, hex, sizeBytes, samples, samplesPerSecond) => {
    const frame = audioFrameAt(codec, Buffer.from(hex, 'hex'), 0);
    expect(frame).toEqual({ sizeBytes, samples, samplesPerSecond });
  });

  it.each<[Codec]>([['aac'], ['mpeg-audio'], ['ac3'], ['opus']])(
    'is not found in zeros: %s',
    (codec) => {
      expect(audioFrameAt(codec, Buffer.alloc(8), 0)).toBeUndefined();
    },
  );
});

describe('how long audio sounds', () => {
  const frames = Buffer.concat([100, 201, 52, 300].map(adtsFrame));

  it('is counted however its packets are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 184 }), { minLength: 1 }), (cuts) => {
        const meter = new AudioMeter('aac');
        meter.begin();
        for (let at = 0, n = 0; at < frames.length; n += 1) {
          const next = Math.min(frames.length, at + cuts[n % cuts.length]!);
          meter.feed(frames, at, next);
          at = next;
        }
        expect(meter.duration90k).toBe(4 * 1920);
      }),
    );
  });

  it('is not known where a frame is cut off or none begins', () => {
    const meter = new AudioMeter('aac');
    meter.begin();
    meter.feed(frames, 0, 250);
    expect(meter.duration90k).toBeUndefined();
    meter.begin();
    meter.feed(frames, 3, frames.length);
    expect(meter.duration90k).toBeUndefined();
  });
});
