import { describe, expect, it } from 'vitest';
import { firstVariant, lesserVariant, networkArgs } from '#networks';
import type { Encoding, Programme } from '#networks';
import { programme } from './network-of.ts';

const ENCODING: Encoding = {
  videoCodec: 'libx264',
  audioCodec: 'aac',
  preset: 'veryfast',
  videoKbps: 2500,
  audioKbps: 192,
  resolution: '1280x720',
  hwaccel: null,
};
const SUBTITLES = { url: null, language: null, seekSeconds: 0 };

type More = Partial<Omit<Parameters<typeof networkArgs>[0], 'programme'>>;

function argsOf(about: Partial<Programme> = {}, more: More = {}): string {
  const one = programme(about);
  return networkArgs({
    programme: one,
    input: 'file',
    subtitleInput: null,
    variant: firstVariant(one),
    seekSeconds: 0,
    leftSeconds: null,
    firstNumber: 0,
    ...more,
  }).join(' ');
}

describe('the command of a programme', () => {
  it('reads a file by a script, at the speed at which it plays, and lists its segments', () => {
    const args = argsOf();
    expect(args).toMatch(/ -re .* -i concatf:pipe:0 -map 0:v:0\? -map 0:a:0\? -c copy -f segment /);
    expect(args).toContain('-segment_format mpegts -segment_time 6 -segment_start_number 0');
    expect(args).toMatch(/-segment_list pipe:1 -segment_list_type csv live%06d\.ts$/);
  });

  it('never has an address, a header or a name of a file elsewhere', () => {
    const secret = { streamUrl: 'http://u:p@host/secret', headers: { 'X-Token': 'secret' } };
    const subtitles = { url: 'http://host/secret.srt', language: null, seekSeconds: 0 };
    const args = argsOf({ ...secret, subtitles, encoding: ENCODING }, { subtitleInput: 'pipe' });
    expect(args).not.toMatch(/secret|host|\/\/|u:p/);
  });

  const rows: readonly { what: string; about?: Partial<Programme>; more?: More; has: string }[] = [
    { what: 'seeks in a file', more: { seekSeconds: 90.5 }, has: '-ss 90.5 -re' },
    { what: 'ends its input in time', more: { leftSeconds: 30 }, has: '-t 30 -re' },
    { what: 'numbers on', more: { firstNumber: 43 }, has: '-segment_start_number 43' },
    { what: 'takes what comes as it comes', more: { input: 'pipe' }, has: '-i pipe:0 -map' },
    { what: 'cuts as asked', about: { segmentSeconds: 2 }, has: '-segment_time 2' },
    {
      what: 'takes a language',
      about: { audioLanguage: 'de' },
      has: '-map 0:a:m:language:de -c copy',
    },
    { what: 'takes a track', about: { audioLanguage: '1' }, has: '-map 0:a:1? -c copy' },
    {
      what: 'encodes with a keyframe at the head of each segment',
      about: { encoding: ENCODING, segmentSeconds: 4 },
      has: '-c:v libx264 -preset veryfast -b:v 2500k -vf scale=1280x720 -force_key_frames expr:gte(t,n_forced*4) -c:a aac -b:a 192k -ar 48000 -ac 2 -f segment',
    },
    {
      what: 'leaves rate and size to the encoder',
      about: { encoding: { ...ENCODING, videoKbps: null, resolution: null } },
      has: '-preset veryfast -force_key_frames',
    },
    {
      what: 'decodes on a device',
      about: { encoding: { ...ENCODING, hwaccel: 'cuda' } },
      has: '-stats_period 0.5 -hwaccel cuda -re',
    },
    {
      what: 'brings pictures to a device of VAAPI',
      about: { encoding: { ...ENCODING, videoCodec: 'h264_vaapi' } },
      has: '-vf scale=1280x720,format=nv12,hwupload',
    },
    {
      what: 'writes subtitles of a track',
      about: { subtitles: SUBTITLES },
      has: 'live%06d.ts -map 0:s:0 -c:s webvtt -f webvtt -flush_packets 1 pipe:5',
    },
    {
      what: 'writes subtitles of a language',
      about: { subtitles: { ...SUBTITLES, language: 'en' } },
      has: '-map 0:s:m:language:en -c:s webvtt',
    },
    {
      what: 'reads a file of subtitles, as far on as the programme is',
      about: {
        seekSeconds: 60,
        subtitles: { url: 'http://host/s.srt', language: null, seekSeconds: 10 },
      },
      more: { subtitleInput: 'file', seekSeconds: 75 },
      has: '-ss 25 -protocol_whitelist concatf,pipe,http,tcp',
    },
  ];

  it.each(rows)('$what', ({ about, more, has }) => {
    expect(argsOf(about, more)).toContain(has);
  });

  it('seeks in nothing that comes as it comes', () => {
    expect(argsOf({}, { input: 'pipe', seekSeconds: 30 })).not.toContain('-ss');
  });
});

const refusal = (line: string, isOfDevice = false) => ({
  lines: [`[fatal] ${line}`],
  isOfDevice,
});

describe('a command that FFmpeg refuses', () => {
  const noSound = refusal("Stream map '0:a:m:language:de' matches no streams.");

  it('is tried with the other codes of a language, then with the first track', () => {
    let variant = firstVariant(programme({ audioLanguage: 'de' }));
    const tried = [variant.audio[0]];
    for (let rest = 0; rest < 3; rest += 1) {
      variant = lesserVariant(variant, noSound) ?? variant;
      tried.push(variant.audio[0]);
    }
    expect(tried).toEqual(['m:language:de', 'm:language:deu', 'm:language:ger', undefined]);
    expect(lesserVariant(variant, noSound)).toBeUndefined();
  });

  it.each([
    "Stream map '0:s:0' matches no streams.",
    'Subtitle encoding currently only possible from text to text or bitmap to bitmap',
  ])('is tried without subtitles: %s', (line) => {
    const variant = firstVariant(programme({ subtitles: SUBTITLES }));
    expect(lesserVariant(variant, refusal(line))).toEqual({ ...variant, subtitles: null });
  });

  it('is tried without a device that failed', () => {
    const variant = firstVariant(programme({ encoding: { ...ENCODING, hwaccel: 'cuda' } }));
    expect(lesserVariant(variant, refusal('No device', true))?.usesHwaccel).toBe(false);
  });

  it('is not tried again where nothing can be left out', () => {
    const variant = firstVariant(programme());
    expect(lesserVariant(variant, refusal('Invalid data found'))).toBeUndefined();
  });
});
