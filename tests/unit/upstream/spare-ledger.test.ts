import { describe, expect, it } from 'vitest';
import { UpstreamError } from '#kernel/app-error';
import type { ErrorCode } from '#kernel/error-codes';
import type { StreamId } from '#kernel/ids';
import { SpareLedger } from '#upstream';
import { TestClock } from '../../support/test-clock.ts';

const [A, B] = ['http://panel/live/bob/pw/1.ts', 'http://panel/live/bob/pw/2.ts'];
const ELSEWHERE = 'http://other/live/bob/pw/1.ts';

const TWO_DAYS_MS = 2 * 86_400_000;

const failure = (code: ErrorCode, details = {}) =>
  new UpstreamError(code, { message: '', details });
const reset = failure('UPSTREAM_RESET');
const status = (code: number) => failure('UPSTREAM_STATUS', { status: code });

function start() {
  const clock = new TestClock();
  const ledger = new SpareLedger(clock);
  const acquire = (url: string) =>
    ledger.acquire({ streamId: 's' as StreamId, url, purpose: 'standby' });
  return { clock, ledger, acquire };
}

describe('an account that resets its oldest connection', () => {
  it.each([
    ['before the spare is answered', false, 0, 'UPSTREAM_RESET', true],
    ['right after the spare was answered', true, 900, 'UPSTREAM_RESET', true],
    ['by a polite end', true, 300, 'UPSTREAM_ENDED', true],
    ['long after that', true, 2000, 'UPSTREAM_RESET', false],
    ['by a stall', true, 300, 'UPSTREAM_STALLED', false],
  ] as const)('%s: is one connection learned?', async (_name, isAnswered, ms, code, isLearned) => {
    const { clock, ledger, acquire } = start();
    const used = ledger.use(A);
    const permit = acquire(B);
    if (isAnswered) permit?.answered();
    await clock.advance(ms);
    expect(used.broke(failure(code))).toBe(isLearned);
    used.end();
    permit?.release();
    ledger.use(B);
    expect(acquire(A) === undefined).toBe(isLearned);
    expect(acquire(ELSEWHERE)).toBeDefined();
  });

  it('is learned of also when the connection belongs to another stream', () => {
    const { ledger, acquire } = start();
    const other = ledger.use('http://panel/live/bob/pw/9.ts');
    ledger.use(A);
    acquire(B)?.answered();
    expect(other.broke(reset)).toBe(true);
  });

  it('is tried again after ten minutes, and then after ever longer', async () => {
    const { clock, ledger, acquire } = start();
    const restMinutes: number[] = [];
    for (let time = 0; time < 6; time += 1) {
      const used = ledger.use(A);
      const permit = acquire(B);
      permit?.answered();
      used.broke(reset);
      permit?.release();
      const fromMs = clock.monotonicMs();
      const isFree = (): boolean => {
        const next = acquire(B);
        next?.release();
        return next !== undefined;
      };
      while (!isFree() && clock.monotonicMs() - fromMs < TWO_DAYS_MS) await clock.advance(60_000);
      used.end();
      restMinutes.push((clock.monotonicMs() - fromMs) / 60_000);
    }
    expect(restMinutes).toEqual([10, 40, 160, 640, 1440, 1440]);
  });

  it('bears one connection, be it a spare one', () => {
    const { ledger, acquire } = start();
    const used = ledger.use(A);
    const permit = acquire(B);
    permit?.answered();
    used.broke(reset);
    permit?.release();
    expect(acquire(B)).toBeUndefined();
    used.end();
    expect(acquire(B)).toBeDefined();
    expect(acquire(B)).toBeUndefined();
  });
});

describe('an account that refuses one connection too many', () => {
  it.each([403, 429, 458, 509])('with %i: the source is not to blame', (code) => {
    const { ledger, acquire } = start();
    ledger.use(A);
    const permit = acquire(B);
    expect(permit?.isRefusal(status(code))).toBe(true);
    permit?.release();
    expect(acquire(B)).toBeUndefined();
  });

  it('is not meant by other failures, nor where nothing else is open', () => {
    const { ledger, acquire } = start();
    const lonely = acquire(B);
    expect(lonely?.isRefusal(status(403))).toBe(false);
    ledger.use(A);
    expect(lonely?.isRefusal(status(404))).toBe(false);
    expect(lonely?.isRefusal(reset)).toBe(false);
  });
});
