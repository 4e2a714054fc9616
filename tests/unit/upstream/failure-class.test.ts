import { describe, expect, it } from 'vitest';
import { UpstreamError } from '#kernel/app-error';
import type { ErrorCode } from '#kernel/error-codes';
import { failoverReason, failureClassOf, isSourceUrl, statusOf } from '#upstream';

const failure = (code: ErrorCode, status?: number): UpstreamError =>
  new UpstreamError(code, { message: 'x', details: status === undefined ? {} : { status } });

describe('sorting failures', () => {
  it.each([
    ['UPSTREAM_RESET', undefined, 'broken'],
    ['UPSTREAM_TRUNCATED', undefined, 'broken'],
    ['UPSTREAM_ENDED', undefined, 'broken'],
    ['UPSTREAM_STALLED', undefined, 'unavailable'],
    ['UPSTREAM_REFUSED', undefined, 'unavailable'],
    ['UPSTREAM_TIMEOUT', undefined, 'unavailable'],
    ['UPSTREAM_DNS', undefined, 'unavailable'],
    ['UPSTREAM_PCR_STOPPED', undefined, 'unavailable'],
    ['UPSTREAM_BITRATE_LOW', undefined, 'unavailable'],
    ['UPSTREAM_ERRORS', undefined, 'unavailable'],
    ['UPSTREAM_TRACK_MISSING', undefined, 'unavailable'],
    ['UPSTREAM_SCRAMBLED', undefined, 'unavailable'],
    ['UPSTREAM_LOOPING', undefined, 'unavailable'],
    ['UPSTREAM_SILENT', undefined, 'unavailable'],
    ['UPSTREAM_STATUS', 500, 'unavailable'],
    ['UPSTREAM_STATUS', 503, 'unavailable'],
    ['UPSTREAM_STATUS', 429, 'unavailable'],
    ['UPSTREAM_STATUS', 408, 'unavailable'],
    ['UPSTREAM_STATUS', 404, 'useless'],
    ['UPSTREAM_STATUS', 403, 'useless'],
    ['UPSTREAM_STATUS', 458, 'useless'],
    ['UPSTREAM_TLS', undefined, 'useless'],
    ['UPSTREAM_WRONG_TYPE', undefined, 'useless'],
    ['UPSTREAM_REDIRECT_LOOP', undefined, 'useless'],
    ['UPSTREAM_TARGET_FORBIDDEN', undefined, 'useless'],
    ['PLAYLIST_MALFORMED', undefined, 'useless'],
    ['INTERNAL', undefined, 'useless'],
  ] as const)('calls %s (status %s) %s', (code, status, expected) => {
    expect(failureClassOf(failure(code, status))).toBe(expected);
  });

  it('knows the status of a source that answered', () => {
    expect(statusOf(failure('UPSTREAM_STATUS', 503))).toBe(503);
    expect(statusOf(failure('UPSTREAM_REFUSED'))).toBeNull();
  });
});

describe('the reason of a failover', () => {
  it.each([
    ['live', failure('UPSTREAM_STATUS', 503), 'stream_error_HTTPStatusError_after_retries'],
    ['live', failure('UPSTREAM_ENDED'), 'live_stream_silent_close'],
    ['live', failure('UPSTREAM_REFUSED'), 'stream_error_ConnectError_after_retries'],
    ['live', failure('UPSTREAM_BITRATE_LOW'), 'low_bitrate'],
    ['live', failure('UPSTREAM_SILENT'), 'silence_detected'],
    ['live', failure('UPSTREAM_PCR_STOPPED'), 'clock_stopped'],
    ['live', failure('UPSTREAM_ERRORS'), 'transport_errors'],
    ['live', failure('UPSTREAM_TRACK_MISSING'), 'track_missing'],
    ['live', failure('UPSTREAM_SCRAMBLED'), 'scrambled'],
    ['live', failure('UPSTREAM_LOOPING'), 'clip_repeats'],
    ['vod', failure('UPSTREAM_RESET'), 'stream_error_ReadError_after_retries'],
    ['playlist', failure('UPSTREAM_TIMEOUT'), 'playlist_fetch_error_ReadTimeout'],
    ['segment', failure('UPSTREAM_TIMEOUT'), 'segment_fetch_error'],
  ] as const)('of %s is told under the names that receivers know', (stage, error, reason) => {
    expect(failoverReason(stage, error)).toBe(reason);
  });
});

describe('what can be a source', () => {
  it.each([
    'http://h/a',
    'HTTPS://h',
    'http://u:p@h:1/x?y=data:,z',
    'http://[::1]/a',
    'http://h/é',
  ])('accepts %s', (url) => expect(isSourceUrl(url)).toBe(true));

  it.each([
    '',
    'h/a',
    'ftp://h',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'http://',
    'http:///x',
    'http://h/a b',
    'http://h/\r\nX: y',
    'http://h:99999/',
    `http://h/${'a'.repeat(9000)}`,
  ])('refuses %s', (url) => expect(isSourceUrl(url)).toBe(false));
});
