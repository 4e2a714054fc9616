import { describe, expect, it } from 'vitest';
import { mediaFactsOf } from '../../../services/adapters/ffmpeg/media-facts.ts';

const facts = (...streams: readonly object[]) =>
  mediaFactsOf(JSON.stringify({ streams, format: { format_name: 'mpegts' } }));
const VIDEO = { codec_type: 'video', codec_name: 'h264', width: 1280, height: 720 };

describe('what ffprobe has found', () => {
  it('becomes the facts of the first picture and the first sound', () => {
    const audio = { codec_type: 'audio', codec_name: 'aac', channels: 2, channel_layout: 'stereo' };
    const subtitle = { codec_type: 'subtitle', codec_name: 'dvb_teletext' };
    const second = { codec_type: 'audio', codec_name: 'ac3', channels: 6 };
    expect(facts(subtitle, audio, { ...VIDEO, avg_frame_rate: '25/1' }, second)).toEqual({
      container: 'MPEGTS',
      videoCodec: 'h264',
      resolution: '1280x720',
      fps: 25,
      audioCodec: 'aac',
      audioChannels: 'stereo',
    });
  });

  it.each([
    ['30000/1001', undefined, 29.97],
    ['0/0', '50/1', 50],
    ['90000/1', undefined, undefined],
    [undefined, 'nonsense', undefined],
  ])('takes %s and %s for %s pictures a second', (average, base, fps) => {
    const found = facts({ ...VIDEO, avg_frame_rate: average, r_frame_rate: base });
    expect(found?.fps).toBe(fps);
  });

  it.each([
    ['5.1(side)', 6, '5.1'],
    [undefined, 1, 'mono'],
    [undefined, 8, '7.1'],
    [undefined, 3, undefined],
  ])('takes the layout %s of %s channels for %s', (channel_layout, channels, expected) => {
    const found = facts({ codec_type: 'audio', codec_name: 'ac3', channels, channel_layout });
    expect(found?.audioChannels).toBe(expected);
  });

  it('says nothing of a picture whose size it has not seen', () => {
    expect(facts({ ...VIDEO, width: 0, height: 0 })).toEqual({
      container: 'MPEGTS',
      videoCodec: 'h264',
    });
  });

  it.each(['', '{', 'null', '[]', '{"streams":7}', '{"streams":[null,{}]}'])(
    'makes nothing of %s',
    (json) => {
      expect(mediaFactsOf(json)).toBeUndefined();
    },
  );
});
