import { describe, expect, it } from 'vitest';
import { requestHead, targetOf } from '#adapters/http/raw/request-head';
import { codeOf } from '#kernel/app-error';

const codeWhen = (call: () => unknown): string => {
  try {
    call();
    return 'nothing thrown';
  } catch (error) {
    return codeOf(error);
  }
};

const headOf = (url: string, headers: Record<string, string> = {}): string[] =>
  requestHead({ method: 'GET', target: targetOf(url), headers })
    .toString('utf8')
    .split('\r\n');

describe('target of a URL', () => {
  it.each([
    ['http://host', '/'],
    ['http://host?token=1', '/?token=1'],
    ['http://host#part', '/'],
    ['http://host/a/b?c=d#part', '/a/b?c=d'],
    ['http://host/a%20b/%7e?x=%2F&y=a+b', '/a%20b/%7e?x=%2F&y=a+b'],
    ['http://host/a//b/../c/./d', '/a//b/../c/./d'],
    ['http://host/a|b{c}"<d>^`?e=[f]|"<g>', '/a|b{c}"<d>^`?e=[f]|"<g>'],
    ["http://host/it's?q='x'", "/it's?q='x'"],
    ['http://host/a b?c d', '/a%20b?c%20d'],
    ['http://host/é/日本?ü=ñ', '/%C3%A9/%E6%97%A5%E6%9C%AC?%C3%BC=%C3%B1'],
    ['http://host/\ud800', '/%EF%BF%BD'],
    ['http://host/a\r\nX-Evil: 1', '/a%0D%0AX-Evil:%201'],
    ['http://user:secret@host/a', '/a'],
    ['http://user@name:secret@host/a@b', '/a@b'],
    ['  http://host/a  ', '/a'],
    [String.raw`http:\\host\a`, '/a'],
  ])('%j asks for %j', (url, pathAndQuery) => {
    expect(targetOf(url).pathAndQuery).toBe(pathAndQuery);
  });

  it.each([
    ['http://Example.COM/', { host: 'example.com', port: 80, authority: 'example.com' }],
    ['https://example.com/', { host: 'example.com', port: 443, isSecure: true }],
    ['http://example.com:8080/', { port: 8080, authority: 'example.com:8080' }],
    ['https://example.com:443/', { port: 443, authority: 'example.com' }],
    ['http://[2001:db8::1]:81/', { host: '2001:db8::1', port: 81, authority: '[2001:db8::1]:81' }],
    ['http://2130706433/', { host: '127.0.0.1' }],
    ['http://0x7f.1/', { host: '127.0.0.1' }],
    ['http://münchen.example/', { host: 'xn--mnchen-3ya.example' }],
  ])('%j leads to %j', (url, target) => {
    expect(targetOf(url)).toMatchObject(target);
  });

  it.each([
    ['http://user:secret@host/', 'user:secret'],
    ['http://user@host/', 'user:'],
    ['http://us%40er:p%3Ass%2F@host/', 'us@er:p:ss/'],
    ['http://user:100%@host/', 'user:100%'],
    ['http://üser:ñ@host/', 'üser:ñ'],
  ])('%j asks for basic authorization', (url, credentials) => {
    const encoded = Buffer.from(credentials, 'utf8').toString('base64');
    expect(targetOf(url).authorization).toBe(`Basic ${encoded}`);
  });

  it.each([
    ['', 'INPUT_INVALID'],
    ['http://', 'INPUT_INVALID'],
    ['host/path', 'INPUT_INVALID'],
    ['http://1.2.3.999/', 'INPUT_INVALID'],
    ['ftp://host/', 'UPSTREAM_TARGET_FORBIDDEN'],
    ['file:///etc/passwd', 'UPSTREAM_TARGET_FORBIDDEN'],
    ['gopher://host/', 'UPSTREAM_TARGET_FORBIDDEN'],
  ])('%j is refused', (url, code) => {
    expect(codeWhen(() => targetOf(url))).toBe(code);
  });
});

describe('head of a request', () => {
  it('says what every source needs, and closes the connection', () => {
    expect(headOf('http://host:81/a?b')).toEqual([
      'GET /a?b HTTP/1.1',
      'Host: host:81',
      'Accept: */*',
      'Accept-Encoding: identity',
      'Connection: close',
      '',
      '',
    ]);
  });

  it("sends the stream's own headers, in their order and spelling", () => {
    const lines = headOf('http://host/', { 'user-AGENT': 'VLC', ACCEPT: 'video/*', 'X-A': 'ü' });
    expect(lines.slice(2, -3)).toEqual([
      'Accept-Encoding: identity',
      'user-AGENT: VLC',
      'ACCEPT: video/*',
      'X-A: ü',
    ]);
  });

  it('lets no header of a stream rule the connection', () => {
    const lines = headOf('http://host/', {
      host: 'other',
      Connection: 'keep-alive',
      'Accept-Encoding': 'gzip',
      'Content-Length': '5',
      'Transfer-Encoding': 'chunked',
      Expect: '100-continue',
      Upgrade: 'h2c',
    });
    expect(lines).toEqual(headOf('http://host/'));
  });

  it('prefers a given authorization to the one in the URL', () => {
    const lines = headOf('http://user:secret@host/', { authorization: 'Bearer x' });
    expect(lines.filter((line) => /^authorization/i.test(line))).toEqual([
      'authorization: Bearer x',
    ]);
    expect(headOf('http://u:p@host/')).toContain('Authorization: Basic dTpw');
  });

  it.each([
    ['a line break in a value', { 'X-A': 'b\r\nX-Evil: 1' }],
    ['a lone line feed in a value', { 'X-A': 'b\nX-Evil: 1' }],
    ['a NUL in a value', { 'X-A': 'b\0' }],
    ['a line break in a name', { 'X-A\r\nX-Evil': 'b' }],
    ['a colon in a name', { 'X:A': 'b' }],
    ['a blank in a name', { 'X A': 'b' }],
    ['no name', { '': 'b' }],
  ])('refuses %s', (_what, headers) => {
    expect(codeWhen(() => headOf('http://host/', headers))).toBe('INPUT_INVALID');
  });
});
