import { describe, expect, it } from 'vitest';
import { cookiesFor, failureIn, isCookiesText, mediaOf } from '#resolve';

const FILE = `# Netscape HTTP Cookie File
.site.example\tTRUE\t/\tFALSE\t0\tall\t1
site.example\tFALSE\t/\tTRUE\t0\tsecure\t2
#HttpOnly_www.site.example\tFALSE\t/watch\tFALSE\t1999999999\tpath\t3
other.example\tTRUE\t/\tFALSE\t0\tother\t4
`;

describe('a cookies file', () => {
  it.each([
    ['https://site.example/', ['all', 'secure']],
    ['http://site.example/', ['all']],
    ['https://www.site.example/watch?v=1', ['all', 'path']],
    ['https://www.site.example/x', ['all']],
    ['https://evilsite.example/', []],
  ])('gives %s its own', (url, names) => {
    expect(cookiesFor(FILE, url).map(({ name }) => name)).toEqual(names);
  });

  it('is known by its lines', () => {
    expect(isCookiesText(FILE)).toBe(true);
    expect(isCookiesText('a=1; b=2')).toBe(false);
  });
});

describe('what yt-dlp says of a page', () => {
  it('is one playlist with what to send', () => {
    const answer = {
      url: 'https://cdn.example/live.m3u8',
      protocol: 'm3u8_native',
      is_live: true,
      http_headers: { 'User-Agent': 'x', Host: 'evil', 'X-A': 'b\r\nc' },
      cookies: 'a=1; Domain=.example; Path=/; b=2; Domain=other.test; c=3',
    };
    expect(mediaOf(answer)).toEqual({
      isLive: true,
      inputs: [
        {
          url: answer.url,
          isPlaylist: true,
          headers: { 'User-Agent': 'x', Cookie: 'a=1; c=3' },
        },
      ],
    });
  });

  it('is a file of pictures and one of sound', () => {
    const requested = ['v', 'a'].map((name) => ({
      url: `https://cdn.example/${name}`,
      protocol: 'https',
    }));
    const media = mediaOf({ entries: [{ requested_formats: requested }] });
    expect(media?.inputs.map(({ isPlaylist }) => isPlaylist)).toEqual([false, false]);
  });

  it.each([
    ['a manifest in pieces', { url: 'https://h/x', protocol: 'http_dash_segments' }],
    ['a file of this machine', { url: 'file:///etc/passwd', protocol: 'https' }],
    ['another protocol', { url: 'https://h/x', protocol: 'rtmp' }],
    ['VP9', { url: 'https://h/x', protocol: 'https', vcodec: 'vp09.00.51' }],
    ['AV1', { url: 'https://h/x', protocol: 'https', vcodec: 'av01.0' }],
    ['nothing', {}],
    ['no object', 'x'],
  ])('is of no use: %s', (_name, answer) => {
    expect(mediaOf(answer)).toBeUndefined();
  });
});

describe('why a program failed', () => {
  it.each([
    ['error: No plugin can handle URL: https://x', 'unsupported'],
    ['error: No playable streams found on this URL: https://x', 'no_media'],
    ["error: The specified stream(s) '1' could not be found.", 'format'],
    ['ERROR: [x] 1: Sign in to confirm your age', 'login'],
    ['ERROR: unable to download: HTTP Error 403: Forbidden', 'refused'],
    ['error: Unable to open URL: https://x (404 Client Error: Not Found)', 'no_media'],
    ['error: Unable to open URL: https://x (timed out)', 'unreachable'],
    ['', 'crashed'],
  ])('%s', (log, failure) => {
    expect(failureIn(log)).toBe(failure);
  });
});
