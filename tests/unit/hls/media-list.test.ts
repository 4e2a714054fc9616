import { describe, expect, it } from 'vitest';
import { bestVariant, ivOfSequence, readMediaList } from '#hls';

const BASE = { baseUrl: 'http://h/a/index.m3u8' };
const HEAD = '#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:40\n';

const range = (value: string, url: string): string =>
  `#EXTINF:6,\n#EXT-X-BYTERANGE:${value}\n${url}\n`;
const inf = (attributes: string, uri: string): string =>
  `#EXT-X-STREAM-INF:${attributes}\n${uri}\n`;
const media = (group: string, rest: string): string =>
  `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="${group}",NAME="n"${rest}\n`;

describe('a media playlist', () => {
  it('is read segment by segment', () => {
    const list = readMediaList(
      `${HEAD}#EXTINF:5.96,title\r\na.ts?t=%2F\r\n#EXT-X-DISCONTINUITY\n#EXTINF:6,\n/b.ts\n`,
      BASE,
    );
    expect(list).toMatchObject({ targetDurationMs: 6000, isEnded: false, isSealed: false });
    expect(list.segments).toMatchObject([
      { sequence: 40, url: 'http://h/a/a.ts?t=%2F', durationMs: 5960, startsAnew: false },
      { sequence: 41, url: 'http://h/b.ts', durationMs: 6000, startsAnew: true },
    ]);
  });

  it('counts ranges on from the one before', () => {
    const text = HEAD + range('100@20', 'a.ts') + range('50', 'a.ts') + range('7', 'b.ts');
    expect(readMediaList(text, BASE).segments.map(({ span }) => span)).toEqual([
      { offset: 20, length: 100 },
      { offset: 120, length: 50 },
      { offset: 0, length: 7 },
    ]);
  });

  it('has the range of an init section begin with the file, and counts on from none of these', () => {
    const { segments } = readMediaList(
      '#EXTM3U\n#EXT-X-MAP:URI="f",BYTERANGE="9"\n#EXT-X-BYTERANGE:5@9\n#EXTINF:1,\nf\n' +
        '#EXT-X-MAP:URI="f",BYTERANGE="9@0"\n#EXT-X-BYTERANGE:6\n#EXTINF:1,\nf\n' +
        '#EXT-X-BYTERANGE:x\n#EXTINF:1,\nf\n',
      { baseUrl: 'http://a/' },
    );
    expect(segments[0]?.map?.span).toEqual({ offset: 0, length: 9 });
    expect(segments.map(({ span }) => span)).toEqual([
      { offset: 9, length: 5 },
      { offset: 14, length: 6 },
      undefined,
    ]);
  });

  it('knows which key and which init section are in force', () => {
    const text = `${HEAD}#EXT-X-KEY:METHOD=AES-128,URI="k1",IV=0x1F
#EXT-X-MAP:URI="init.mp4",BYTERANGE="10@5"
#EXTINF:6,\na.m4s\n#EXT-X-KEY:METHOD=AES-128,URI="k2"\n#EXTINF:6,\nb.m4s
#EXT-X-KEY:METHOD=NONE\n#EXTINF:6,\nc.m4s\n#EXT-X-ENDLIST\n`;
    const { segments, isEnded, isSealed } = readMediaList(text, BASE);
    const [first, second, third] = segments;
    expect({ isEnded, isSealed }).toEqual({ isEnded: true, isSealed: false });
    expect(first?.key?.url).toBe('http://h/a/k1');
    expect(first?.key?.iv?.toString('hex')).toBe('1f'.padStart(32, '0'));
    expect(first?.map).toMatchObject({
      url: 'http://h/a/init.mp4',
      span: { offset: 5, length: 10 },
    });
    expect(second?.key).toEqual({ url: 'http://h/a/k2', iv: undefined });
    expect(second?.map).toBe(first?.map);
    expect(third?.key).toBeUndefined();
  });

  it.each([
    ['SAMPLE-AES', 'METHOD=SAMPLE-AES,URI="k"', true],
    [
      'a DRM system',
      'METHOD=SAMPLE-AES,URI="skd://x",KEYFORMAT="com.apple.streamingkeydelivery"',
      true,
    ],
    ['a key that players fetch', 'METHOD=AES-128,URI="k",KEYFORMAT="identity"', false],
  ])('says whether it is sealed: %s', (_name, attributes, isSealed) => {
    const text = `${HEAD}#EXT-X-KEY:${attributes}\n#EXTINF:6,\na.ts\n`;
    expect(readMediaList(text, BASE).isSealed).toBe(isSealed);
  });

  it('leaves out what is no address, and counts it', () => {
    const text = `${HEAD}#EXTINF:6,\ndata:,x\n#EXTINF:6,\n#EXT-X-GAP\na.ts\n`;
    expect(readMediaList(text, BASE).segments).toMatchObject([{ sequence: 41, isGap: true }]);
  });

  it.each(['', '#EXTM3U', '#EXTINF:x,\n\n#EXT-X-KEY\n#EXT-X-MAP:\n#EXT-X-BYTERANGE:\nu'])(
    'is read whatever it holds: %j',
    (text) => {
      expect(() => readMediaList(text, BASE)).not.toThrow();
    },
  );

  it('has the vector of a number that is larger than sums are exact', () => {
    const text = '#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:18446744073709551614\n';
    const { segments } = readMediaList(`${text}#EXT-X-KEY:METHOD=AES-128,URI="k"\na\nb\n`, {
      baseUrl: 'http://p/',
    });
    const vectors = segments.map(({ key }) => key?.iv?.toString('hex').slice(16));
    expect(vectors).toEqual(['fffffffffffffffe', 'ffffffffffffffff']);
  });

  it('is no longer than its addresses have room for', () => {
    const text = `#EXTM3U\n${'#EXTINF:1,\na\n'.repeat(8_000)}`;
    const baseUrl = `http://p.example/${'x'.repeat(8_000)}/`;
    expect(readMediaList(text, { baseUrl }).segments.length).toBeLessThan(5_000);
  });

  it('has initialisation vectors by number', () => {
    expect(ivOfSequence(258).toString('hex')).toBe('0102'.padStart(32, '0'));
  });
});

describe('the best variant', () => {
  it.each([
    ['has the most bits', ['BANDWIDTH=1', 'BANDWIDTH=3', 'BANDWIDTH=2'], '1'],
    ['has pictures', ['BANDWIDTH=9,CODECS="mp4a.40.2"', 'BANDWIDTH=2,CODECS="avc1.4d,mp4a"'], '1'],
    ['is of sound where all are', ['BANDWIDTH=1,CODECS="mp4a"', 'BANDWIDTH=2,CODECS="mp4a"'], '1'],
    ['is the first among equals', ['BANDWIDTH=1', 'BANDWIDTH=1'], '0'],
  ])('%s', (_name, variants, uri) => {
    const text = `#EXTM3U\n${variants.map((attributes, at) => inf(attributes, `${at}`)).join('')}`;
    expect(bestVariant(text, BASE)?.url).toBe(`http://h/a/${uri}`);
  });

  it('comes with the default sound of its group, if that is apart', () => {
    const text = `#EXTM3U\n${media('s', ',URI="en"')}${media('s', ',DEFAULT=YES,URI="de"')}${media(
      't',
      ',DEFAULT=YES',
    )}${inf('BANDWIDTH=2,AUDIO="s"', 'v')}`;
    expect(bestVariant(text, BASE)?.audioUrl).toBe('http://h/a/de');
    const muxed = text.replace('AUDIO="s"', 'AUDIO="t"');
    expect(bestVariant(muxed, BASE)?.audioUrl).toBeUndefined();
  });

  it('is nothing where there is none', () => {
    expect(bestVariant('#EXTM3U\n', BASE)).toBeUndefined();
  });
});
