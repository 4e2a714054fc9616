import { describe, expect, it } from 'vitest';
import { ValidationError } from '#api/http/validation-error';
import { postedStream } from '#api/schemas/stream.schema';

const URL_OF_ALL = 'http://example.com/a.ts';

/** The fields at fault, as dotted paths. */
function faults(body: unknown): readonly string[] {
  try {
    postedStream(body);
    return [];
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    return error.problems.map(({ loc }) => loc.join('.'));
  }
}

describe('the URL of a stream', () => {
  it.each([
    'http://example.com/a.ts',
    'HTTPS://example.com/a.ts',
    'http://user:pass@example.com:8080/live/1',
    'http://[2001:db8::1]:8080/x',
    'http://10.0.0.1/x',
    'http://example.com/película.ts',
    'http://example.com/x?t=data:abc&u=<script>&v=javascript:',
    `http://example.com/${'x'.repeat(8000)}`,
  ])('may be %s', (url) => {
    expect(postedStream({ url }).input.url).toBe(url);
  });

  it.each([
    '',
    ' ',
    'not_a_valid_url',
    'ftp://example.com/a.ts',
    'rtmp://example.com/a',
    'javascript:alert(1)',
    'file:///etc/passwd',
    'data:text/plain,x',
    '//example.com/a.ts',
    'http:example.com/a.ts',
    'http://',
    'http:///a.ts',
    'http://exa mple.com/',
    'http://example.com/a b',
    ' http://example.com/a',
    'http://example.com/a\r\nX: y',
    'http://example.com/\u0000',
    'http://example.com:99999/',
    `http://example.com/${'x'.repeat(8192)}`,
  ])('may not be %j', (url) => {
    expect(faults({ url })).toEqual(['body.url']);
  });

  it.each([[undefined], [null], [5], [{}], [['http://example.com/a']]])('may not be %j', (url) => {
    expect(faults({ url })).toEqual(['body.url']);
  });
});

describe('a stream that is posted', () => {
  it('is refused with every field at fault, not only the first', () => {
    const body = {
      url: 'ftp://x',
      failover_urls: ['http://ok/1', 'nope', 'http://ok/2', 5],
      failover_resolver_url: 'nope',
      user_agent: 'a\nb',
      metadata: { good: 1, bad: null },
      headers: { 'X-Good': 'a', 'X-Bad': 1, 'bad name': 'x' },
      sharing: 'sometimes',
      strict_live_ts: 'perhaps',
      silence_duration: 'long',
      silence_failover_threshold: 1.5,
    };
    expect(faults(body)).toEqual([
      'body.url',
      'body.failover_urls.1',
      'body.failover_urls.3',
      'body.failover_resolver_url',
      'body.user_agent',
      'body.headers.X-Bad',
      'body.headers.bad name',
      'body.metadata.bad',
      'body.sharing',
      'body.strict_live_ts',
      'body.silence_duration',
      'body.silence_failover_threshold',
    ]);
  });

  it('is told of a missing URL in the words of m3u-proxy', () => {
    expect(() => postedStream({})).toThrow(
      expect.objectContaining({
        problems: [{ loc: ['body', 'url'], msg: 'is required', type: 'missing' }],
      }),
    );
  });

  it.each([
    ['backups', { failover_urls: Array(101).fill(URL_OF_ALL) }, 'body.failover_urls'],
    ['metadata', { metadata: mapOf(101) }, 'body.metadata'],
    ['headers', { headers: mapOf(65) }, 'body.headers'],
    [
      'letters in a metadata key',
      { metadata: { ['k'.repeat(257)]: 1 } },
      `body.metadata.${'k'.repeat(128)}`,
    ],
  ])('has a bound for the number of %s', (_what, body, fault) => {
    expect(faults({ url: URL_OF_ALL, ...body })).toEqual([fault]);
  });

  it('may go up to the bounds', () => {
    const body = {
      url: URL_OF_ALL,
      failover_urls: Array(100).fill(URL_OF_ALL),
      metadata: mapOf(100),
      headers: mapOf(64),
    };
    expect(faults(body)).toEqual([]);
  });

  it('never has its values repeated in what is refused', () => {
    const secret = 'pa55word';
    const body = {
      url: `ftp://user:${secret}@h/`,
      failover_urls: [`nope ${secret}`],
      headers: { Authorization: `${secret}\n` },
      metadata: { a: [secret] },
      user_agent: `${secret}\n`,
      sharing: secret,
    };
    expect(() => postedStream(body)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(secret) }),
    );
  });

  it.each([
    ['true', true],
    ['Yes', true],
    [1, true],
    ['0', false],
    [false, false],
  ])('may say %j for a boolean', (given, expected) => {
    const { input } = postedStream({ url: URL_OF_ALL, strict_live_ts: given });
    expect(input.options.strictLiveTs).toBe(expected);
  });

  it('may not write a list or a map as text', () => {
    const body = { url: URL_OF_ALL, failover_urls: '["http://h/1"]', metadata: '{"a":"b"}' };
    expect(faults(body)).toEqual(['body.failover_urls', 'body.metadata']);
  });

  it('has no user agent of its own when that is empty', () => {
    expect(postedStream({ url: URL_OF_ALL, user_agent: '' }).input.userAgent).toBeNull();
  });
});

function mapOf(size: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: size }, (_unused, index) => [`k${index}`, 'v']));
}
