import { describe, expect, it } from 'vitest';
import { codeOf, InvariantError, toAppError, UpstreamError } from '#kernel/app-error';
import { ERROR_CODES } from '#kernel/error-codes';

describe('errors', () => {
  const refused = new UpstreamError('UPSTREAM_REFUSED', { message: 'No.', details: { port: 1 } });

  it('carry a code, safe facts and their family', () => {
    expect(refused).toMatchObject({
      code: 'UPSTREAM_REFUSED',
      details: { port: 1 },
      name: 'UpstreamError',
    });
  });

  it('of ours stay what they are', () => {
    expect(toAppError(refused)).toBe(refused);
    expect(codeOf(refused)).toBe('UPSTREAM_REFUSED');
  });

  it('that nobody foresaw are internal, and say nothing but their cause', () => {
    const cause = new Error('password');
    const error = toAppError(cause);
    expect(error).toBeInstanceOf(InvariantError);
    expect(error).toMatchObject({ code: 'INTERNAL', cause });
    expect(error.message).not.toContain('password');
    expect(codeOf('a string')).toBe('INTERNAL');
  });

  it('have codes that are each listed once', () => {
    expect(new Set(ERROR_CODES).size).toBe(ERROR_CODES.length);
  });
});
