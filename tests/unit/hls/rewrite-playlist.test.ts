import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { rewriteLongPlaylist, rewritePlaylist, tracksOf } from '#hls';
import type { Reference } from '#hls';
import { anyChar, anyPlaylist, fc } from './playlist-arbitraries.ts';

const BASE_URL = 'http://p.example/live/u/p/index.m3u8?token=a%2Fb';

const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/playlists/${name}.m3u8`, import.meta.url), 'utf8');

/** Writes what a URI was taken for, so that a fixture shows it. */
const marked = ({ kind, url, track }: Reference): string =>
  track ? `[${track.role} ${track.ordinal} ${track.bandwidth} ${url}]` : `[${kind} ${url}]`;

const rewrite = (text: string, toLocal = marked): string =>
  rewritePlaylist(text, {
    baseUrl: BASE_URL,
    imported: new Map([['host', 'cdn.example']]),
    toLocal,
  }).join('');

/** Microseconds that work costs this thread, at the least: of what else the machine does, nothing counts. */
function costOf(work: () => unknown): number {
  const runs = Array.from({ length: 2 }, () => {
    const before = process.threadCpuUsage();
    work();
    const { user, system } = process.threadCpuUsage(before);
    return user + system;
  });
  return Math.min(...runs);
}

const DEFINED = '#EXT-X-DEFINE:NAME="v1",VALUE="x"';

const unchanged = ({ written }: Reference): string => written;

const FIXTURES = [
  'live-iptv',
  'multivariant',
  'every-tag',
  'variables',
  'low-latency-delta',
  'multi-drm',
];

/** Without the lines that are taken out: what players cannot look up for themselves. */
const withoutHidden = (text: string): string =>
  text.replaceAll(/^#EXT-X-DEFINE:(?:IMPORT|QUERYPARAM)=.*\n/gm, '');

const list = (...lines: string[]): string => ['#EXTM3U', ...lines, ''].join('\n');

describe('rewritePlaylist', () => {
  it.each(FIXTURES)('replaces every URI and nothing else: %s', (name) => {
    expect(rewrite(fixture(name))).toBe(fixture(`${name}.expected`));
  });

  it.each(FIXTURES)('keeps every byte where URIs are replaced by themselves: %s', (name) => {
    const text = withoutHidden(fixture(name));
    for (const like of [text, text.replaceAll('\n', '\r\n'), text.replaceAll('\n', ' \t\r\n')]) {
      expect(rewrite(like, unchanged)).toBe(like);
      expect(rewrite(`\uFEFF${like}`, unchanged)).toBe(like);
      expect(rewrite(like.trimEnd(), unchanged)).toBe(like.trimEnd());
    }
  });

  it.each([
    ['#EXTINF:4,\na.ts', 'segment'],
    ['#EXT-X-STREAM-INF:BANDWIDTH=1\n#c\n\na.ts', 'playlist'],
    ['#EXT-X-KEY:METHOD=AES-128,URI="a.ts"', 'key'],
    ['#EXT-X-KEY:METHOD=AES-128,URI="a.ts",KEYFORMAT="identity"', 'key'],
    ['#EXT-X-SESSION-KEY:METHOD=AES-128,URI="a.ts"', 'key'],
    ['#EXT-X-MAP:URI="a.ts",BYTERANGE="10@0"', 'map'],
    ['#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="g",NAME="n",URI="a.ts"', 'playlist'],
    ['#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="a.ts"', 'playlist'],
    ['#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=1,URI="a.ts"', 'playlist'],
    ['#EXT-X-SESSION-DATA:DATA-ID="d",VALUE="v",URI="a.ts",FORMAT=RAW', 'data'],
    ['#EXT-X-PART:DURATION=1,URI="a.ts",BYTERANGE="1@2"', 'segment'],
    ['#EXT-X-PRELOAD-HINT:TYPE=PART,URI="a.ts"', 'segment'],
    ['#EXT-X-PRELOAD-HINT:TYPE=MAP,URI="a.ts"', 'map'],
    ['#EXT-X-RENDITION-REPORT:URI="a.ts",LAST-MSN=1', 'playlist'],
    ['#EXT-X-CONTENT-STEERING:SERVER-URI="a.ts",PATHWAY-ID="A"', 'steering'],
    ['#EXT-X-DATERANGE:ID="i",X-ASSET-URI="a.ts"', 'playlist'],
    ['#EXT-X-DATERANGE:ID="i",X-ASSET-LIST="a.ts"', 'asset-list'],
    ['#EXT-X-DATERANGE:ID="i",CLASS="com.apple.hls.preload",X-URI="a.ts"', 'asset-list'],
    ['#EXT-X-PREFETCH:a.ts', 'segment'],
  ])('maps the one URI of %j once, as what it leads to', (line, kind) => {
    const seen: string[] = [];
    const text = `#EXTM3U\n${line}\n`;
    const rewritten = rewrite(text, (reference) => {
      seen.push(`${reference.kind} ${reference.url}`);
      return 'LOCAL';
    });
    expect(seen).toEqual([`${kind} http://p.example/live/u/p/a.ts`]);
    expect(rewritten).toBe(text.replace('a.ts', 'LOCAL'));
  });

  it.each([
    '#EXT-X-KEY:METHOD=NONE',
    '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="http://l.example/k",KEYFORMAT="com.microsoft.playready"',
    '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="c",NAME="c",INSTREAM-ID="CC1"',
    '#EXT-X-DATERANGE:ID="i",START-DATE="2026-01-01T00:00:00Z",SCTE35-OUT=0xFC,CUE="PRE",X-A=1.0',
    '#EXT-X-SERVER-CONTROL: CAN-BLOCK-RELOAD=YES , HOLD-BACK=12.0',
    '#EXT-X-SKIP:SKIPPED-SEGMENTS=3',
    '#EXT-X-START:TIME-OFFSET=-12.50,PRECISE=NO',
    '#EXT-X-DEFINE:NAME="a",VALUE="b"',
    '#EXT-X-MEDIA-SEQUENCE:18446744073709551615',
    '#EXT-X-CUE-OUT',
    '#EXT-X-CUE-OUT:DURATION=30.0',
    '#EXT-X-SPLICEPOINT-SCTE35:/DA=',
    '#EXT-X-ALLOW-CACHE:YES',
    '#EXT-X-BITRATE:0500',
    '#EXTVLCOPT:http-referrer=http://p.example/',
    '#EXTINF:-1 tvg-logo="http://p.example/l.png",Ünï',
    '#EXTGRP:x',
    '#',
  ])('leaves a line without a URI of ours alone: %s', (line) => {
    expect(rewrite(`#EXTM3U \n${line} \n`, () => 'LOCAL')).toBe(`#EXTM3U \n${line} \n`);
  });

  it.each(['data:application/json,{}', ''])(
    'takes content steering out that it cannot pass on: %j',
    (server) => {
      const line = `#EXT-X-CONTENT-STEERING:SERVER-URI="${server}"\n`;
      expect(rewrite(`#EXTM3U\n${line}#EXT-X-VERSION:8\n`)).toBe('#EXTM3U\n#EXT-X-VERSION:8\n');
    },
  );

  it('keeps CRLF, lone CR and a missing last line end', () => {
    expect(rewrite('#EXTM3U\r\n#EXTINF:1,\r\na.ts\r#EXTINF:1,\nb.ts')).toBe(
      '#EXTM3U\r\n#EXTINF:1,\r\n[segment http://p.example/live/u/p/a.ts]\r#EXTINF:1,\n[segment http://p.example/live/u/p/b.ts]',
    );
  });

  it('cuts off a byte order mark', () => {
    expect(rewrite('\uFEFF#EXTM3U\n')).toBe('#EXTM3U\n');
    expect(rewrite('\u00EF\u00BB\u00BF#EXTM3U\n')).toBe('#EXTM3U\n');
  });

  it.each(['', '<html>#EXTM3U', '\n#EXTM3U', '#EXTM3U8\n', '#extm3u\n', '#EXTINF:1,\na.ts'])(
    'refuses what does not begin as a playlist: %j',
    (text) => {
      expect(() => rewrite(text)).toThrow(expect.objectContaining({ code: 'PLAYLIST_MALFORMED' }));
    },
  );

  it.each([
    ['a quote that never closes', '#EXT-X-MAP:URI="init.mp4'],
    ['no quotes', '#EXT-X-MAP:URI=init.mp4,BYTERANGE="1@0"'],
    ['a comma inside quotes before it', '#EXT-X-MAP:X="a,URI=b",URI="init.mp4"'],
    ['blanks around', '#EXT-X-MAP: BYTERANGE="1@0" , URI = "init.mp4" '],
    ['a word without value before it', '#EXT-X-MAP:FLAG,URI="init.mp4"'],
  ])('finds a URI attribute with %s', (_case, line) => {
    expect(rewrite(`#EXTM3U\n${line}`)).toContain('[map http://p.example/live/u/p/init.mp4]');
  });

  it.each(['X-URI', 'URIS', 'uri', 'BASE-URI'])('leaves the attribute %s alone', (name) => {
    const line = `#EXTM3U\n#EXT-X-MAP:${name}="init.mp4"`;
    expect(rewrite(line)).toBe(line);
  });

  it.each([
    'skd://key',
    'data:text/plain,x',
    'urn:x',
    'file:///etc/passwd',
    'ftp://h/a',
    'http://',
    '',
  ])('leaves a URI of another scheme alone: %s', (uri) => {
    const text = `#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="${uri}"\n`;
    expect(rewrite(text)).toBe(text);
  });

  it('sends bytes that are no UTF-8 upstream as those bytes', () => {
    const text = '#EXTM3U\n#EXTINF:1,\ncaf\u00E9.ts\n';
    const options = { baseUrl: BASE_URL, encoding: 'latin1' as const, toLocal: marked };
    expect(rewritePlaylist(text, options).join('')).toContain('/caf%E9.ts]');
    expect(rewrite(text)).toContain('/caf%C3%A9.ts]');
  });

  it('cuts the text behind each local URL, so that a viewer’s suffix can follow', () => {
    const pieces = rewritePlaylist('#EXTM3U\n#EXT-X-MAP:URI="i"\n#EXTINF:1,\na\n', {
      baseUrl: BASE_URL,
      toLocal: () => 'x?h=1',
    });
    expect(pieces.join('&c=2')).toBe(
      '#EXTM3U\n#EXT-X-MAP:URI="x?h=1&c=2"\n#EXTINF:1,\nx?h=1&c=2\n',
    );
  });

  it('returns the same bytes when every URI is replaced by itself', () => {
    fc.assert(
      fc.property(anyPlaylist, (text) => {
        expect(rewrite(text, unchanged)).toBe(text);
      }),
    );
  });

  it('returns the same bytes of any mixture of what the fixtures hold', () => {
    const lines = FIXTURES.flatMap((name) => withoutHidden(fixture(name)).split('\n'));
    const line = fc.constantFrom(...lines.filter((text) => !text.startsWith('#EXT-X-CONTENT')));
    const cut = fc.tuple(line, fc.nat(200), fc.nat(200));
    const mutated = cut.map(([text, from, to]) => text.slice(0, from) + text.slice(to));
    const end = fc.constantFrom('\n', '\r\n', '\r', ' \n');
    const any = fc.array(fc.tuple(fc.oneof(line, mutated), end), { maxLength: 60 });
    fc.assert(
      fc.property(any, (parts) => {
        const text = `#EXTM3U\n${parts.map((part) => part.join('')).join('')}`;
        fc.pre(!/^#EXT-X-(?:DEFINE:(?:IMPORT|QUERYP)|CONTENT)/m.test(text.replaceAll('\r', '\n')));
        expect(rewrite(text, unchanged)).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it('does not throw on any text that begins as a playlist', () => {
    const any = fc.string({ unit: anyChar, maxLength: 400 }).map((rest) => `#EXTM3U\n${rest}`);
    fc.assert(
      fc.property(any, (text) => {
        expect(rewrite(text, unchanged)).toMatch(/^#EXTM3U/);
      }),
    );
  });

  it('leaves no address of the provider where a URI can stand', () => {
    const hidden = rewrite(fixture('every-tag'), ({ kind }) => `local-${kind}`);
    expect(hidden).not.toMatch(/p\.example|ads\.example/);
  });

  it('takes a hundred thousand lines in linear time, with pauses where it is asked to', async () => {
    const text = `#EXTM3U\n${'#EXTINF:6.000,\nseg.ts?token=abcdef\n'.repeat(50_000)}`;
    const tenth = text.slice(0, Math.ceil(text.length / 10));
    expect(rewrite(text, unchanged)).toBe(text);
    const times = [tenth, text].map((part) => costOf(() => rewrite(part, unchanged)));
    // Ten times the lines: linear work takes ten times as long, quadratic work a hundred times.
    expect((times[1] ?? 0) / (times[0] ?? 1)).toBeLessThan(40);
    let pauses = 0;
    const options = { baseUrl: BASE_URL, toLocal: unchanged };
    const pieces = await rewriteLongPlaylist(text, options, async () => {
      pauses += 1;
    });
    expect(pieces.join('')).toBe(text);
    expect(pauses).toBe(200);
  }, 20_000);

  it('takes a line of a hundred thousand addresses, which name one track', () => {
    const addresses = Array.from({ length: 100_000 }, (_, n) => `,URI="${n}"`).join('');
    const text = list(`#EXT-X-MEDIA:GROUP-ID="g",TYPE=AUDIO${addresses}`);
    const tracks = new Set<unknown>();
    rewrite(text, ({ track, written }) => {
      tracks.add(track);
      return written;
    });
    expect([...tracks]).toMatchObject([{ role: 'audio', ordinal: 0 }]);
  });

  it('tells parts of segments from segments, and both from what may not be there', () => {
    const text = list(
      '#EXT-X-PART:DURATION=1,URI="1.0"',
      '#EXT-X-PART:DURATION=1,URI="1.1",GAP=YES',
      '#EXTINF:2,',
      '1',
      '#EXT-X-GAP',
      '#EXTINF:2,',
      '2',
      '#EXTINF:2,',
      '3',
      '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="4.0"',
      '#EXT-X-PREFETCH:5',
    );
    expect(rewrite(text, ({ as, written }) => `${written}-${as}`).match(/[\d.]+-\w+/g)).toEqual([
      '1.0-part',
      '1.1-gap',
      '1-undefined',
      '2-gap',
      '3-undefined',
      '4.0-hint',
      '5-hint',
    ]);
  });

  it('takes a line of a million attributes without quotes that close', () => {
    const text = `#EXTM3U\n#EXT-X-MAP:${'A="'.repeat(300_000)}\n#EXT-X-MAP:${'A=b'.repeat(300_000)}`;
    expect(rewrite(text)).toBe(text);
  });
});

describe('variables', () => {
  it.each([
    ['defined in place', ['#EXT-X-DEFINE:NAME="v",VALUE="x"'], '{$v}/1.ts', 'x/1.ts'],
    [
      'imported',
      ['#EXT-X-DEFINE:IMPORT="host"'],
      'https://{$host}/1.ts',
      'https://cdn.example/1.ts',
    ],
    ['of the query', ['#EXT-X-DEFINE:QUERYPARAM="token"'], '1.ts?t={$token}', '1.ts?t=a/b'],
    ['defined after its use', [], '{$v}/1.ts', '%7B$v%7D/1.ts'],
    ['that nobody defined', ['#EXT-X-DEFINE:IMPORT="v"'], '{$v}/1.ts', '%7B$v%7D/1.ts'],
    ['within a value', ['#EXT-X-DEFINE:NAME="a",VALUE="{$host}"'], '{$a}', '%7B$host%7D'],
  ])('are put in place in a URI: %s', (_name, definitions, uri, meant) => {
    const late = '#EXT-X-DEFINE:NAME="late",VALUE="x"';
    const rewritten = rewrite(list(...definitions, '#EXTINF:1,', uri, late));
    expect(rewritten).toContain(`[segment ${new URL(meant, BASE_URL).href}]`);
  });

  it('leave no definition that a player would have to look up', () => {
    const defined = ['IMPORT="host"', 'IMPORT="x"', 'QUERYPARAM="token"', 'QUERYPARAM="h"'];
    const text = list(...defined.map((line) => `#EXT-X-DEFINE:${line}`), '#EXT-X-VERSION:11');
    expect(rewrite(text)).toBe(list('#EXT-X-VERSION:11'));
  });

  it('are put in place where a player would need them and cannot know them', () => {
    const text = list(
      '#EXT-X-DEFINE:QUERYPARAM="token"',
      '#EXT-X-DEFINE:NAME="n",VALUE="kept"',
      '#EXT-X-SESSION-DATA:DATA-ID="d",VALUE="{$token} {$n}"',
      '#EXT-X-STREAM-INF:BANDWIDTH=1,NAME="{$token}"',
      'v.m3u8',
    );
    expect(rewrite(text)).toBe(
      list(
        '#EXT-X-DEFINE:NAME="n",VALUE="kept"',
        '#EXT-X-SESSION-DATA:DATA-ID="d",VALUE="a/b {$n}"',
        '#EXT-X-STREAM-INF:BANDWIDTH=1,NAME="a/b"',
        '[variant 0 1 http://p.example/live/u/p/v.m3u8]',
      ),
    );
  });

  it('never break a quoted string', () => {
    const text = list('#EXT-X-DEFINE:QUERYPARAM="q"', '#EXT-X-SESSION-DATA:DATA-ID="{$q}"');
    const options = { baseUrl: 'http://p.example/?q=a%22b', toLocal: marked };
    expect(rewritePlaylist(text, options).join('')).toBe(
      list('#EXT-X-SESSION-DATA:DATA-ID="{$q}"'),
    );
  });

  it('cost bounded memory, however they multiply', () => {
    const value = 'x'.repeat(4000);
    const text = list(
      `#EXT-X-DEFINE:NAME="v",VALUE="${value}"`,
      `#EXT-X-DEFINE:NAME="w",VALUE="${value.repeat(10)}"`,
      '{$v}'.repeat(200_000),
      '{$w}/1.ts',
    );
    expect(rewrite(text).length).toBeLessThan(4 * text.length);
    const many = Array.from({ length: 1000 }, (_, n) => `#EXT-X-DEFINE:NAME="v${n}",VALUE="x"`);
    const sizes: number[] = [];
    rewrite(list(...many, 'a'), ({ variables, written }) => {
      sizes.push(variables.size);
      return written;
    });
    expect(sizes).toEqual([256]);
  });
});

describe('a hostile list', () => {
  it('is refused when it lists more than any player could use', () => {
    const text = `#EXTM3U\n${'#EXTINF:1,\na\n'.repeat(1_000_000)}`;
    expect(() => rewrite(text, unchanged)).toThrow(
      expect.objectContaining({ code: 'PLAYLIST_TOO_LARGE' }),
    );
  }, 20_000);

  it.each([
    [
      'by its variables',
      `#EXT-X-DEFINE:NAME="v",VALUE="${'x'.repeat(4096)}"`,
      '{$v}'.repeat(16),
      '',
    ],
    ['by where it is', '', 'a', `${'x'.repeat(8000)}/`],
  ])(
    'is refused when its addresses are longer than any player could use: %s',
    (...[, head, line, folder]) => {
      const text = list(head, ...Array.from({ length: 8_000 }, () => line));
      const options = { baseUrl: `http://p.example/${folder}`, toLocal: unchanged };
      expect(() => rewritePlaylist(text, options)).toThrow(
        expect.objectContaining({ code: 'PLAYLIST_TOO_LARGE' }),
      );
    },
  );

  it.each([
    ['a line of a megabyte', 'x'.repeat(1024 * 1024)],
    ['a megabyte of blanks', ' '.repeat(1024 * 1024)],
    ['a megabyte of colons', `#EXT-X-KEY${':'.repeat(1024 * 1024)}`],
    ['a megabyte of commas', `#EXT-X-KEY:${','.repeat(1024 * 1024)}`],
    ['a megabyte of quotes', `#EXT-X-MAP:${'"'.repeat(1024 * 1024)}`],
    ['a megabyte of braces', '{$'.repeat(512 * 1024)],
    ['NUL bytes', 'a\u0000b.ts\n\u0000\u0000'],
    ['half a surrogate', 'a\uD800.ts'],
  ])('is taken as it is, and in good time: %s', (_name, line) => {
    const text = `#EXTM3U\n#EXTINF:1,\n${line}\n#EXT-X-KEY:METHOD=AES-128,URI="${line}"`;
    expect(rewrite(text, unchanged)).toBe(text);
    expect(costOf(() => rewrite(text, unchanged))).toBeLessThan(1_000_000);
  });
});

describe('tracksOf', () => {
  it('lists the playlists that a multivariant playlist names, each role counted by itself', () => {
    const tracks = tracksOf(fixture('multivariant'), { baseUrl: BASE_URL });
    expect(tracks.map(({ track }) => `${track.role} ${track.ordinal}`)).toEqual([
      'audio 0',
      'audio 1',
      'subtitles 0',
      'iframe 0',
      'image 0',
      'variant 0',
      'variant 1',
    ]);
  });

  it('keeps what is defined once, however many tracks it is defined for', () => {
    const variant = '#EXT-X-STREAM-INF:BANDWIDTH=1\nv';
    const text = list(DEFINED, variant, variant, DEFINED.replace('1', '2'), variant);
    const [first, second, third] = tracksOf(text, { baseUrl: BASE_URL });
    expect(first?.variables).toBe(second?.variables);
    expect([first?.variables.size, third?.variables.size]).toEqual([1, 2]);
  });
});
