import { describe, expect, it } from 'vitest';
import { openSource } from '../../../services/delivery/live/open-source.ts';
import type { UpstreamClient, UpstreamResponse } from '#upstream';
import { TestClock } from '../../support/test-clock.ts';

const SOURCE = { url: 'http://a/', index: -1, headers: {} };
const never = new AbortController().signal;

/** A provider that answers so. */
function answering(status: number, headers: Readonly<Record<string, string>>) {
  let closed = 0;
  const response = {
    status,
    headers: new Map(Object.entries(headers)),
    close: () => (closed += 1),
  } as unknown as UpstreamResponse;
  const upstream: UpstreamClient = { open: () => Promise.resolve(response) };
  const timeouts = { connectMs: 1000, headersMs: 1000 };
  const opening = openSource({ upstream, timeouts, clock: new TestClock() }, SOURCE, never);
  return { opening, response, closed: () => closed };
}

describe('a source that is asked', () => {
  it('is whoever answers with a status of success', async () => {
    const { opening, response, closed } = answering(200, {});
    expect(await opening).toBe(response);
    expect(closed()).toBe(0);
  });

  it.each([
    [503, { 'retry-after': '7' }, { status: 503, retryAfterMs: 7000 }],
    [429, {}, { status: 429 }],
  ])('and says %i %j has failed, and is closed', async (status, headers, details) => {
    const { opening, closed } = answering(status, headers);
    await expect(opening).rejects.toMatchObject({ code: 'UPSTREAM_STATUS', details });
    expect(closed()).toBe(1);
  });
});
