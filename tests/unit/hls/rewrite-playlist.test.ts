import { readFileSync } from 'node:fs';
import { fc } from './playlist-arbitraries.ts';
import { describe, expect, it } from 'vitest';
import { rewriteLongPlaylist, rewritePlaylist, tracksOf } from '#hls';
import type { Reference } from '#hls';
import { anyPlaylist } from './playlist-arbitraries.ts';

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

const unchanged = ({ written }: Reference): string => written;

describe('rewritePlaylist', () => {
  it.each(['live-iptv', 'multivariant', 'every-tag', 'variables'])(
    'replaces every URI and nothing else: %s',
    (name) => {
      expect(rewrite(fixture(name))).toBe(fixture(`${name}.expected`));
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

  it('does not throw on any text that begins as a playlist', () => {
    const any = fc.string({ unit: 'binary', maxLength: 400 }).map((rest) => `#EXTM3U\n${rest}`);
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
    const startedMs = performance.now();
    expect(rewrite(text, unchanged)).toBe(text);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    let pauses = 0;
    const options = { baseUrl: BASE_URL, toLocal: unchanged };
    const pieces = await rewriteLongPlaylist(text, options, async () => {
      pauses += 1;
    });
    expect(pieces.join('')).toBe(text);
    expect(pauses).toBe(200);
  });

  it('takes a line of a million attributes without quotes that close', () => {
    const text = `#EXTM3U\n#EXT-X-MAP:${'A="'.repeat(300_000)}\n#EXT-X-MAP:${'A=b'.repeat(300_000)}`;
    expect(rewrite(text)).toBe(text);
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
});
