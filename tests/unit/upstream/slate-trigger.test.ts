import { describe, expect, it } from 'vitest';
import { UpstreamError } from '#kernel/app-error';
import { slateTriggerOf, slatesFor } from '#upstream';

const answered = (status: number): UpstreamError =>
  new UpstreamError('UPSTREAM_STATUS', { message: 'No.', details: { status } });
const failed = (code: 'UPSTREAM_ENDED' | 'UPSTREAM_STALLED', cause?: unknown): UpstreamError =>
  new UpstreamError(code, { message: 'No.', cause });

describe('the slate for a failure', () => {
  it.each([403, 429, 458, 509])('is that of a provider at its limit for status %i', (status) => {
    expect(slateTriggerOf(answered(status))).toBe('provider_connections_exhausted');
  });

  it('is that of a provider at its limit where we keep it', () => {
    const ours = new UpstreamError('PROVIDER_AT_CAPACITY', { message: 'No.' });
    expect(slateTriggerOf(ours)).toBe('provider_connections_exhausted');
  });

  it.each([404, 401, 500, 503])(
    'is that of a channel that does not work for status %i',
    (status) => {
      expect(slateTriggerOf(answered(status))).toBe('channel_unavailable');
    },
  );

  it('is that of a channel that does not work for all that is no answer', () => {
    expect(slateTriggerOf(failed('UPSTREAM_STALLED'))).toBe('channel_unavailable');
    expect(slateTriggerOf(failed('UPSTREAM_ENDED', new Error('socket')))).toBe(
      'channel_unavailable',
    );
  });

  it('is that of the last source when all have failed', () => {
    const all = new UpstreamError('ALL_SOURCES_FAILED', { message: 'No.', cause: answered(458) });
    expect(slateTriggerOf(all)).toBe('provider_connections_exhausted');
  });
});

describe('what does for a trigger', () => {
  it('is its own slate, and for a preempted viewer also that of a provider at its limit', () => {
    expect(slatesFor('low_priority_preempted')).toEqual([
      'low_priority_preempted',
      'provider_connections_exhausted',
    ]);
    expect(slatesFor('user_account_expired')).toEqual(['user_account_expired']);
  });
});
