import { describe, expect, it } from 'vitest';
import { ANSWERS, problemOf } from '#api/http/problem';
import { ValidationError } from '#api/http/validation-error';
import { DependencyError, InvariantError, NotFoundError, UpstreamError } from '#kernel/app-error';

const failed = (cause?: unknown) =>
  new UpstreamError('ALL_SOURCES_FAILED', { message: 'None is left.', cause });
const upstream = (code: 'UPSTREAM_TIMEOUT' | 'UPSTREAM_STALLED' | 'UPSTREAM_REFUSED') =>
  new UpstreamError(code, { message: 'x' });

describe('a problem', () => {
  it('has the shape of RFC 9457, with our code and the request’s id', () => {
    const error = new DependencyError('STORE_UNAVAILABLE', { message: 'The store is away.' });
    expect(problemOf(error, 'r-1')).toEqual({
      body: {
        type: 'urn:penstock:error:STORE_UNAVAILABLE',
        title: 'Store unavailable',
        status: 503,
        detail: 'The store is away.',
        code: 'STORE_UNAVAILABLE',
        request_id: 'r-1',
      },
      retryAfterSeconds: 2,
    });
  });

  it('keeps the words that clients of m3u-proxy look for', () => {
    const error = new NotFoundError('STREAM_NOT_FOUND', { message: 'Other words.' });
    expect(problemOf(error, '').body.detail).toBe('Stream not found');
  });

  it('says nothing of a bug', () => {
    const error = new InvariantError('what went wrong inside', new Error('secret'));
    expect(JSON.stringify(problemOf(error, ''))).not.toMatch(/inside|secret/);
  });

  it('lists fields beside the sentence about them', () => {
    const problem = { loc: ['body', 'a', 0], msg: 'is odd', type: 'value_error' } as const;
    const { body } = problemOf(new ValidationError([problem]), '');
    expect(body).toMatchObject({ status: 422, detail: 'a.0: is odd', errors: [problem] });
  });

  it.each([
    ['nothing', undefined, 502],
    ['a refused connection', upstream('UPSTREAM_REFUSED'), 502],
    ['no answer in time', upstream('UPSTREAM_TIMEOUT'), 504],
    ['a stall', upstream('UPSTREAM_STALLED'), 504],
    ['something else', new Error('x'), 502],
  ])('about all sources has the status of the last failure: %s', (_what, cause, status) => {
    expect(problemOf(failed(cause), '').body.status).toBe(status);
  });

  it('may be tried again exactly where it is a 503', () => {
    const again = Object.values(ANSWERS).filter((answer) => 'retryAfterSeconds' in answer);
    const unavailable = Object.values(ANSWERS).filter(({ status }) => status === 503);
    expect(again).toEqual(unavailable);
  });
});
