import { describe, expect, it } from 'vitest';
import { closestTrack, tracksOf } from '#hls';
import type { Track } from '#hls';

const variant = (ordinal: number, bandwidth: number): Track => ({
  role: 'variant',
  ordinal,
  bandwidth,
});
const audio = (ordinal: number): Track => ({ role: 'audio', ordinal, bandwidth: 0 });

const pick = (wanted: Track, ...offered: Track[]): Track | undefined =>
  closestTrack(
    wanted,
    offered.map((track) => ({ track, url: 'u', variables: new Map() })),
  )?.track;

describe('closestTrack', () => {
  it.each([
    [
      'the same bandwidth, wherever it stands',
      variant(0, 3000),
      [variant(0, 1000), variant(1, 3000)],
      variant(1, 3000),
    ],
    [
      'the nearest bandwidth',
      variant(0, 3000),
      [variant(0, 1000), variant(1, 2500), variant(2, 6000)],
      variant(1, 2500),
    ],
    [
      'among equals the same place',
      variant(1, 3000),
      [variant(0, 3000), variant(1, 3000)],
      variant(1, 3000),
    ],
    [
      'the same place where nothing is announced',
      variant(1, 0),
      [variant(0, 1), variant(1, 2)],
      variant(1, 2),
    ],
    [
      'the last where there are fewer',
      variant(5, 0),
      [variant(0, 0), variant(1, 0)],
      variant(1, 0),
    ],
    ['only its own role', audio(0), [variant(0, 1), audio(3)], audio(3)],
    ['none where there is none of any kind', audio(0), [], undefined],
    [
      'no film strip for a text',
      { role: 'subtitles', ordinal: 0, bandwidth: 0 },
      [variant(0, 1)],
      undefined,
    ],
  ])('picks %s', (_name, wanted, offered, expected) => {
    expect(pick(wanted, ...offered)).toEqual(expected);
  });
});

/** The tracks of a multivariant playlist: `name.m3u8` of variants, `URI` of the others. */
const named = (text: string) => tracksOf(`#EXTM3U\n${text}`, { baseUrl: 'http://a/' });
const nameOf = (url: string | undefined): string | undefined => url?.slice('http://a/'.length);

/** Where a viewer of the first track that the one playlist names is led to in the other. */
function led(from: string, to: string): string | undefined {
  const [wanted] = named(from);
  if (!wanted) throw new Error('The text names no track.');
  return nameOf(closestTrack(wanted.track, named(to))?.url);
}

const stream = (attributes: string, name: string): string =>
  `#EXT-X-STREAM-INF:${attributes}\n${name}\n`;
const media = (attributes: string): string => `#EXT-X-MEDIA:${attributes}\n`;
const sound = (attributes: string): string => media(`TYPE=AUDIO,${attributes}`);
const strip = (attributes: string, name: string): string =>
  `#EXT-X-I-FRAME-STREAM-INF:${attributes},URI="${name}"\n`;
const HD = 'RESOLUTION=1920x1080';
const SD = 'RESOLUTION=1280x720';

describe('a variant of another source', () => {
  it.each([
    [
      'has the same size of picture, rather than as many bits',
      stream(`BANDWIDTH=3000000,${HD}`, 'x'),
      stream(`BANDWIDTH=3000000,${SD}`, 'sd') + stream(`BANDWIDTH=5000000,${HD}`, 'hd'),
      'hd',
    ],
    [
      'has a size that is nearly the same',
      stream(`BANDWIDTH=3000000,${HD}`, 'x'),
      stream(`BANDWIDTH=3000000,${SD}`, 'sd') +
        stream(`BANDWIDTH=5000000,RESOLUTION=1920x1088`, 'hd'),
      'hd',
    ],
    [
      'can be decoded, rather than has the same size',
      stream(`BANDWIDTH=3000000,${HD},CODECS="avc1.640028,mp4a.40.2"`, 'x'),
      stream(`BANDWIDTH=3000000,${HD},CODECS="hvc1.1.6.L120.90,mp4a.40.2"`, 'hevc') +
        stream(`BANDWIDTH=2000000,${SD},CODECS="avc1.64001f,mp4a.40.2"`, 'avc'),
      'avc',
    ],
    [
      'has sound that can be decoded',
      stream(`BANDWIDTH=3000000,${HD},CODECS="avc1.640028,mp4a.40.2"`, 'x'),
      stream(`BANDWIDTH=3000000,${HD},CODECS="avc1.640028,ac-3"`, 'ac3') +
        stream(`BANDWIDTH=3100000,${HD},CODECS="avc1.640028,mp4a.40.5"`, 'aac'),
      'aac',
    ],
    [
      'has the same range of light',
      stream(`BANDWIDTH=3000000,${HD},VIDEO-RANGE=SDR`, 'x'),
      stream(`BANDWIDTH=3000000,${HD},VIDEO-RANGE=PQ`, 'pq') +
        stream(`BANDWIDTH=9000000,${HD},VIDEO-RANGE=SDR`, 'sdr'),
      'sdr',
    ],
    [
      'has as many pictures a second',
      stream(`BANDWIDTH=3000000,${HD},FRAME-RATE=29.970`, 'x'),
      stream(`BANDWIDTH=3000000,${HD},FRAME-RATE=60`, 'fast') +
        stream(`BANDWIDTH=6000000,${HD},FRAME-RATE=30`, 'slow'),
      'slow',
    ],
    [
      'has as many bits, where all else is alike',
      stream(`BANDWIDTH=3000000,${HD}`, 'x'),
      stream(`BANDWIDTH=9000000,${HD}`, 'much') + stream(`BANDWIDTH=4000000,${HD}`, 'little'),
      'little',
    ],
    [
      'has a size unsaid rather than a wrong one',
      stream(`BANDWIDTH=3000000,${HD}`, 'x'),
      stream(`BANDWIDTH=3000000,${SD}`, 'sd') + stream('BANDWIDTH=9000000', 'unsaid'),
      'unsaid',
    ],
    [
      'has its sound inside, where it was inside',
      stream(`BANDWIDTH=3000000,${HD}`, 'x'),
      media('TYPE=AUDIO,GROUP-ID="s",NAME="a",URI="a"') +
        stream(`BANDWIDTH=3000000,${HD},AUDIO="s"`, 'silent') +
        stream(`BANDWIDTH=900000,${SD}`, 'whole'),
      'whole',
    ],
    [
      'has its sound inside also where its group has no playlist',
      stream(`BANDWIDTH=3000000,${HD}`, 'x'),
      stream(`BANDWIDTH=2900000,${SD}`, 'sd') +
        stream(`BANDWIDTH=3000000,${HD},AUDIO="s"`, 'whole') +
        media('TYPE=AUDIO,GROUP-ID="s",NAME="a"'),
      'whole',
    ],
    [
      'is of sound alone, where it was',
      stream('BANDWIDTH=64000,CODECS="mp4a.40.2"', 'x'),
      stream(`BANDWIDTH=70000,${SD},CODECS="avc1.64001f,mp4a.40.2"`, 'seen') +
        stream('BANDWIDTH=320000,CODECS="mp4a.40.2"', 'heard'),
      'heard',
    ],
  ])('%s', (_name, from, to, expected) => {
    expect(led(from, to)).toBe(expected);
  });

  it('is one of its own kind: a film strip for a film strip', () => {
    const from = strip(`BANDWIDTH=300000,${HD}`, 'x');
    const to =
      stream(`BANDWIDTH=300000,${HD}`, 'v') +
      strip(`BANDWIDTH=300000,${SD}`, 'sd') +
      strip(`BANDWIDTH=900000,${HD}`, 'hd');
    expect(led(from, to)).toBe('hd');
  });
});

describe('a rendition of another source', () => {
  const to =
    sound('GROUP-ID="lo",NAME="English",LANGUAGE="en",URI="en-lo"') +
    sound('GROUP-ID="lo",NAME="Deutsch",LANGUAGE="de",URI="de-lo"') +
    sound('GROUP-ID="hi",NAME="English",LANGUAGE="en",URI="en-hi"') +
    sound('GROUP-ID="hi",NAME="English (commentary)",LANGUAGE="en",URI="talk"');
  it.each([
    ['GROUP-ID="hi",NAME="German",LANGUAGE="de",URI="x"', 'de-lo'],
    ['GROUP-ID="hi",NAME="Deutsch",LANGUAGE="de-AT",URI="x"', 'de-lo'],
    ['GROUP-ID="hi",NAME="English",LANGUAGE="en",URI="x"', 'en-hi'],
    ['GROUP-ID="lo",NAME="English",LANGUAGE="en",URI="x"', 'en-lo'],
    ['GROUP-ID="lo",NAME="english (Commentary)",LANGUAGE="en",URI="x"', 'talk'],
    ['GROUP-ID="other",NAME="Deutsch",URI="x"', 'de-lo'],
  ])('is told by language, name and group: %s', (from, expected) => {
    expect(led(sound(from), to)).toBe(expected);
  });

  it('is the smallest variant, one of sound if there is one, where sound is inside', () => {
    const from = sound('GROUP-ID="s",NAME="a",URI="x"');
    const seen = stream(`BANDWIDTH=3000000,${HD}`, 'hd') + stream(`BANDWIDTH=900000,${SD}`, 'sd');
    expect(led(from, seen)).toBe('sd');
    expect(led(from, seen + stream('BANDWIDTH=990000,CODECS="mp4a.40.2"', 'heard'))).toBe('heard');
  });
});
