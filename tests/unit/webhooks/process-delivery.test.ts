import { describe, expect, it } from 'vitest';
import { silentLogger } from '#kernel/logger';
import { createProcessDelivery } from '#webhooks';
import type { Attempt, Delivery, Endpoint, EndpointStore } from '#webhooks';
import { anEndpoint, anEvent } from '../../support/events.ts';

const ENDPOINT = anEndpoint('http://app.example/', { retryAttempts: 2 });
const FAILED: Attempt = { status: 503 };

function run(attempt: Attempt | Error, failedAttempts = 0, endpoint: Endpoint | null = ENDPOINT) {
  const endpoints = { find: async () => endpoint ?? undefined } as unknown as EndpointStore;
  const process = createProcessDelivery({
    endpoints,
    deliver: async () => {
      if (attempt instanceof Error) throw attempt;
      return attempt;
    },
    random: () => 0,
    logger: silentLogger,
  });
  const { id: endpointId } = ENDPOINT;
  const delivery: Delivery = { v: 1, endpointId, event: anEvent(), failedAttempts };
  return process(delivery, new AbortController().signal);
}

describe('working on a delivery', () => {
  it('is done when the endpoint has taken it', async () => {
    expect(await run({ status: 200 })).toEqual({ kind: 'done' });
  });

  it('is done when the endpoint is gone', async () => {
    expect(await run(FAILED, 0, null)).toEqual({ kind: 'done' });
  });

  it('counts a failed attempt and asks for another', async () => {
    expect(await run(FAILED)).toEqual({ kind: 'again', failedAttempts: 1, delayMs: 1_000 });
    expect(await run(FAILED, 1)).toEqual({ kind: 'again', failedAttempts: 2, delayMs: 2_000 });
  });

  it('gives up after the last retry and says why, without an address', async () => {
    expect(await run(FAILED, 2)).toEqual({ kind: 'failed', reason: 'status 503' });
    const silent: Attempt = { status: null, error: 'UPSTREAM_REFUSED' };
    expect(await run(silent, 2)).toEqual({ kind: 'failed', reason: 'UPSTREAM_REFUSED' });
  });

  it('counts nothing when the trouble is ours', async () => {
    await expect(run(new TypeError('bug'))).rejects.toThrow('bug');
  });
});
