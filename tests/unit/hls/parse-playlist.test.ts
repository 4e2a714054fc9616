import { describe, expect, it, vi } from 'vitest';
import { isHls, isPlaylist, looksLikeMedia, parsePlaylist } from '#hls';
import { anyPlaylist, fc } from './playlist-arbitraries.ts';

const media = (extra = ''): string =>
  `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n${extra}`;
const padding = '# a comment\n'.repeat(10_000);

describe('parsePlaylist', () => {
  it.each([
    ['a live list', media(), { shape: 'media', targetDurationMs: 4000, isEnded: false }],
    [
      'a film',
      media('#EXT-X-ENDLIST\n'),
      { shape: 'media', targetDurationMs: 4000, isEnded: true },
    ],
    [
      'a list that does not say how long',
      '#EXTM3U\n#EXTINF:4,\na.ts',
      { shape: 'media', isEnded: false },
    ],
    [
      'a film whose lines end in CR alone',
      media('#EXT-X-ENDLIST\n').replaceAll('\n', '\r'),
      { shape: 'media', targetDurationMs: 4000, isEnded: true },
    ],
    [
      'variants whose lines end in CR alone',
      '#EXTM3U\r#EXT-X-STREAM-INF:BANDWIDTH=1\ra.m3u8\r',
      { shape: 'multivariant' },
    ],
    ['variants', '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n', { shape: 'multivariant' }],
    [
      'a title that hls-parser cannot read',
      media('#EXTINF:4,Ünï\nb.ts\n#EXT-X-ENDLIST'),
      { isEnded: true, targetDurationMs: 4000 },
    ],
    ['mixed lists', `${media()}#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n`, { shape: 'multivariant' }],
    ['a long list', media(`${padding}#EXT-X-ENDLIST\n`), { isEnded: true, targetDurationMs: 4000 }],
    [
      'a long list of variants',
      `#EXTM3U\n${padding}#EXT-X-STREAM-INF:BANDWIDTH=1\na`,
      { shape: 'multivariant' },
    ],
  ])('describes %s', (_name, text, facts) => {
    expect(parsePlaylist(text)).toMatchObject(facts);
  });

  it('never throws and never writes to the console', () => {
    const spy = vi.spyOn(console, 'error');
    fc.assert(
      fc.property(anyPlaylist, (text) =>
        ['media', 'multivariant'].includes(parsePlaylist(text).shape),
      ),
    );
    expect(spy).not.toHaveBeenCalled();
  });
});

describe('the gate', () => {
  it('tells playlists of HLS from lists of channels and empty ones', () => {
    expect(isHls(media())).toBe(true);
    expect(isHls('#EXTM3U\r\n#EXT-X-MEDIA-SEQUENCE:1\r\n')).toBe(true);
    expect(isHls('#EXTM3U\n#EXTINF:-1 tvg-id="x",Channel\nhttp://h/1.ts\n')).toBe(false);
    expect(isHls('#EXTM3U\n')).toBe(false);
    expect(isPlaylist('#EXTM3U\n')).toBe(true);
    expect(isPlaylist('#EXTM3U url-tvg="x"\n')).toBe(true);
  });

  it('knows media by its first bytes', () => {
    const packet = `G${'x'.repeat(187)}`;
    expect(looksLikeMedia(packet + packet)).toBe(true);
    expect(looksLikeMedia('\0\0\0\u0018ftypisom')).toBe(true);
    expect(looksLikeMedia('Gateway timeout')).toBe(false);
    expect(looksLikeMedia('<html>')).toBe(false);
  });
});
