import { describe, expect, it } from 'vitest';
import {
  egressFrom,
  egressOf,
  headersVia,
  headersWithout,
  isProxyUrl,
  isTemplate,
  viaTemplate,
} from '#upstream';

const SOURCE = 'http://u:p@p.example/a b?x=1&y=ü+#z';

describe('a template', () => {
  it.each([
    ['http://hop/?u={url_encoded}&k=1', `http://hop/?u=${encodeURIComponent(SOURCE)}&k=1`],
    ['https://hop/{url}', `https://hop/${SOURCE}`],
    ['http://hop/hls/{b64}.m3u8', `http://hop/hls/${urlSafe(SOURCE)}.m3u8`],
    ['http://hop/{b64_unpadded}', `http://hop/${urlSafe(SOURCE).replaceAll('=', '')}`],
    ['http://hop/{b64_standard}.{ext}', `http://hop/${standard(SOURCE)}.ts`],
  ])('%s holds the source as it says', (template, expected) => {
    expect(viaTemplate(template, SOURCE)).toBe(expected);
  });

  it('has no character in standard Base64 that hops with paths of it take for an extension', () => {
    // Paths of warren-bank/HLS-Proxy: the standard alphabet or escapes, then `.` or `_`.
    const path = /^\/[a-zA-Z0-9+/=%]+\.ts$/;
    const url = new URL(viaTemplate('http://hop/{b64_standard}.ts', 'http://p/?>~?>~ü.ts'));
    expect(url.pathname).toMatch(path);
    expect(Buffer.from(decodeURIComponent(url.pathname.slice(1, -3)), 'base64').toString()).toBe(
      'http://p/?>~?>~ü.ts',
    );
  });

  it.each([
    ['http://p/live/1.M3U8?token=a.b', 'm3u8'],
    ['http://p/key.bin', 'bin'],
    ['http://p.tv/live/7', 'ts'],
    ['http://p/a.m3u8/', 'ts'],
  ])('tells by its path how %s ends: %s', (url, ext) => {
    expect(viaTemplate('http://hop/{b64}.{ext}', url)).toBe(`http://hop/${urlSafe(url)}.${ext}`);
  });

  it('leaves alone what leads to the next hop already', () => {
    const template = 'http://hop:8080/?u={url_encoded}';
    expect(viaTemplate(template, 'http://hop:8080/segment/7')).toBe('http://hop:8080/segment/7');
    expect(viaTemplate(template, 'http://hop/segment/7')).toContain('?u=');
  });

  it('does not take what a source has in its URL for a place', () => {
    expect(viaTemplate('http://hop/{url}', 'http://p/{b64}')).toBe('http://hop/http://p/{b64}');
  });

  it.each([
    ['http://hop/', false],
    ['http://{url}/', false],
    ['http://hop/a.{ext}', false],
    ['http://hop/{b64_standard}', true],
    ['{url}', false],
    ['ftp://hop/{url}', false],
    ['http://hop/ {url}', false],
    ['http://hop:8080/{b64}', true],
    ['https://user:pw@hop/?u={url_encoded}', true],
  ])('%s: %s', (text, expected) => {
    expect(isTemplate(text)).toBe(expected);
  });
});

describe('the URL of a proxy', () => {
  it.each([
    ['http-connect', 'http://proxy:3128', true],
    ['http-connect', 'https://user:pw@proxy/', true],
    ['http-connect', 'socks5://proxy', false],
    ['http-connect', 'http://proxy/path', false],
    ['http-connect', 'http://proxy?x', false],
    ['socks5', 'socks5://user:p%40w@[::1]:1080', true],
    ['socks5', 'socks5h://proxy', true],
    ['socks5', 'socks4://proxy', false],
    ['socks5', 'socks5:///', false],
    ['socks5', `socks5://${'u'.repeat(256)}@proxy`, false],
  ] as const)('as %s: %s is %s', (kind, text, expected) => {
    expect(isProxyUrl(kind, text)).toBe(expected);
  });
});

describe('an egress as one text', () => {
  it.each([
    ['', undefined, undefined],
    ['', '192.0.2.1', { kind: 'direct', localAddress: '192.0.2.1' }],
    ['http://p:1', undefined, { kind: 'http-connect', url: 'http://p:1', resolve: 'proxy' }],
    ['socks5://p', undefined, { kind: 'socks5', url: 'socks5://p', resolve: 'local' }],
    ['socks5h://p', undefined, { kind: 'socks5', url: 'socks5h://p', resolve: 'proxy' }],
    [
      'http://h/{url}',
      '::1',
      { kind: 'template', template: 'http://h/{url}', localAddress: '::1' },
    ],
    ['http://p/path', undefined, undefined],
  ])('%s', (text, localAddress, expected) => {
    expect(egressFrom(text, localAddress)).toEqual(expected);
  });
});

describe('headers', () => {
  const egress = { kind: 'direct' } as const;

  it('know their way, and so do their copies', () => {
    const headers = headersVia(egress, { Cookie: 'a' });
    expect(egressOf(headers)).toBe(egress);
    expect(egressOf({ ...headers, Range: 'bytes=0-' })).toBe(egress);
    const some = headersWithout(headers, (name) => name === 'Cookie');
    expect({ way: egressOf(some), some: { ...some } }).toMatchObject({ way: egress, some: {} });
    expect(Object.keys(some)).toEqual([]);
    expect(egressOf(headersVia(undefined, { Cookie: 'a' }))).toBeUndefined();
  });

  it('show nothing of it', () => {
    const headers = headersVia({ kind: 'socks5', url: 'socks5://u:pw@p', resolve: 'local' }, {});
    expect(Object.entries(headers)).toEqual([]);
    expect(JSON.stringify(headers)).toBe('{}');
  });
});

function urlSafe(text: string): string {
  return Buffer.from(text).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

const standard = (text: string): string => encodeURIComponent(Buffer.from(text).toString('base64'));
