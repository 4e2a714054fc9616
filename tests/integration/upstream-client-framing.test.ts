import { describe, expect, it } from 'vitest';
import { createUpstreamClient } from '#adapters/http/upstream-client';
import { codeOf } from '#kernel/app-error';
import { collectBody, type Collected } from '../support/collect-body.ts';
import { RawOrigin, say, sayAndWait, sayInPieces, type RawAnswer } from '../support/raw-origin.ts';

const client = createUpstreamClient({ allowPrivate: true, verifyTls: true, maxRedirects: 3 });
const timeouts = { connectMs: 1_000, headersMs: 1_000 };
const never = new AbortController().signal;

type Fetched = Collected & {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
};

async function fetchFrom(answer: RawAnswer, method: 'GET' | 'HEAD' = 'GET'): Promise<Fetched> {
  await using origin = await RawOrigin.start(answer);
  const response = await client.open({ method, url: origin.url(), headers: {}, timeouts }, never);
  const body = await collectBody(response);
  return { status: response.status, headers: response.headers, ...body };
}

async function refusalOf(answer: RawAnswer): Promise<string> {
  return fetchFrom(answer).then(({ status }) => `answered ${status}`, codeOf);
}

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

describe('framing of an answer', () => {
  it.each([
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
    ['a length, with bytes to spare', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, more'],
    ['the same length twice', 'HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello'],
    ['the close of the connection', 'HTTP/1.1 200 OK\r\n\r\nhello'],
    ['the close, in HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nhello'],
    ['the close, from a Shoutcast server', 'ICY 200 OK\r\nicy-name: radio\r\n\r\nhello'],
    ['chunks', `${CHUNKED}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`],
    ['chunks of one byte', `${CHUNKED}1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n1\r\nl\r\n1\r\no\r\n0\r\n\r\n`],
    ['chunks with extensions', `${CHUNKED}2;a=b\r\nhe\r\n003 ;c="d"\r\nllo\r\n0;e\r\n\r\n`],
    ['chunks with trailers', `${CHUNKED}5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n`],
    ['chunks with bare line feeds', `${CHUNKED}5\nhello\n0\n\n`],
    [
      'chunks beside a length that does not count',
      'HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    ],
    ['bare line feeds', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello'],
    ['no reason phrase', 'HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello'],
    ['an empty line before the status', '\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
    [
      'interim answers before the real one',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    ],
  ])('is read by %s', async (_framing, text) => {
    const whole = await fetchFrom(say(text));
    expect(whole).toMatchObject({ status: 200, text: 'hello', error: undefined });
    const inPieces = await fetchFrom(sayInPieces(text, 1));
    expect(inPieces).toMatchObject({ status: 200, text: 'hello', error: undefined });
  });

  it.each([
    ['HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n'],
    ['204', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['304', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5000\r\n\r\n'],
    ['a length of 0', 'GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ] as const)('ends without a body after %s, on an open connection', async (_why, method, text) => {
    const answer = await fetchFrom(sayAndWait(text), method);
    expect(answer).toMatchObject({ text: '', error: undefined });
  });

  it('reads headers without regard to case, folds and repetition', async () => {
    const { headers } = await fetchFrom(
      say(
        'HTTP/1.1 200 OK\r\nX-One:  a  \r\nx-one:b\r\nX-Folded: left\r\n  right\r\nX-Empty:\r\n' +
          'Warning without a colon\r\n: no name\r\nContent-Length: 0\r\n\r\n',
      ),
    );
    expect(Object.fromEntries(headers)).toEqual({
      'x-one': 'a, b',
      'x-folded': 'left right',
      'x-empty': '',
      'content-length': '0',
    });
  });

  it.each([
    ['a raw transport stream', `G@\x11\x10${'\0'.repeat(400)}`],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
    ['a status line without a status', 'HTTP/1.1 OK\r\n\r\n'],
    ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
    ['a head without end', `HTTP/1.1 200 OK\r\n${`X-Pad: ${'x'.repeat(1000)}\r\n`.repeat(70)}`],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello'],
    ['a length below zero', 'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello'],
    ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
  ])('is refused when it is %s', async (_what, text) => {
    expect(await refusalOf(sayAndWait(text))).toBe('UPSTREAM_PROTOCOL');
  });

  it.each([
    ['before a word was said', ''],
    ['within the head', 'HTTP/1.1 200 OK\r\nContent-'],
  ])('is a broken connection when it closes %s', async (_when, text) => {
    expect(await refusalOf(say(text))).toBe('UPSTREAM_RESET');
  });

  it.each([
    ['short of its length', 'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello'],
    ['within a chunk', `${CHUNKED}10\r\nhello`],
    ['between chunks', `${CHUNKED}5\r\nhello\r\n`],
    ['before the last chunk', `${CHUNKED}5\r\nhello\r\n0\r\n`],
    ['with a size that is no number', `${CHUNKED}5\r\nhello\r\nxyz\r\n`],
    ['with a chunk longer than its size', `${CHUNKED}5\r\nhello world\r\n0\r\n\r\n`],
    ['with a size line without end', `${CHUNKED}5\r\nhello\r\n1;${'x'.repeat(20_000)}`],
  ])('is truncated when it ends %s', async (_where, text) => {
    const answer = await fetchFrom(say(text));
    expect(answer.error?.code).toBe('UPSTREAM_TRUNCATED');
    expect(answer.text).toBe('hello');
  });

  it('fails when the provider resets the connection within the body', async () => {
    const answer = await fetchFrom(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\nhello', () =>
        setImmediate(() => socket.resetAndDestroy()),
      );
    });
    expect(answer.error?.code).toBe('UPSTREAM_RESET');
  });

  it('passes any status on, for the caller to judge', async () => {
    for (const status of [206, 300, 403, 404, 416, 451, 500, 503, 599]) {
      const answer = await fetchFrom(say(`HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\nno`));
      expect(answer).toMatchObject({ status, text: 'no' });
    }
  });

  it('takes small chunks of a read together', async () => {
    const chunk = `3e8\r\n${'x'.repeat(1000)}\r\n`;
    const answer = await fetchFrom(say(`${CHUNKED}${chunk.repeat(30)}0\r\n\r\n`));
    expect(answer.bytes).toBe(30_000);
    expect(answer.chunks).toBeLessThan(10);
  });
});
