import { describe, expect, it } from 'vitest';
import { decide } from '../../../services/upstream/retry-policy.ts';
import type { Decision, Outage, RetryPolicy } from '../../../services/upstream/retry-policy.ts';

const POLICY: RetryPolicy = {
  retryAttempts: 3,
  retryDelayMs: 1000,
  retryBackoffFactor: 1,
  outageLimitMs: 30_000,
  maxFailovers: 0,
};

const OUTAGE: Outage = {
  failure: 'unavailable',
  hadFlowed: false,
  hasPicture: false,
  retries: 0,
  failovers: 0,
  alternates: 0,
  elapsedMs: 0,
};

const retry = (delayMs: number): Decision => ({ action: 'retry', delayMs });
const failover = (delayMs: number): Decision => ({ action: 'failover', delayMs });
const giveUp: Decision = { action: 'give-up' };

type Row = readonly [string, Partial<Outage>, Decision, Partial<RetryPolicy>?];

const ROWS: readonly Row[] = [
  [
    'asks a source that broke off once more, at once',
    { failure: 'broken', hadFlowed: true, alternates: 2 },
    retry(0),
  ],
  [
    'asks it only once before the next',
    { failure: 'broken', hadFlowed: true, alternates: 2, retries: 1 },
    failover(0),
  ],
  [
    'treats one that broke off before any media as it treats others',
    { failure: 'broken', alternates: 1 },
    failover(0),
  ],
  ['goes to the next source at once when one is unavailable', { alternates: 1 }, failover(0)],
  [
    'goes to the next source at once when asking again is useless',
    { failure: 'useless', alternates: 1 },
    failover(0),
  ],
  ['tries every other source in the first round', { alternates: 3, failovers: 2 }, failover(0)],
  [
    'gives up after one round when there never was a picture',
    { alternates: 3, failovers: 3 },
    giveUp,
  ],
  [
    'goes round again, with a pause, for a viewer with a picture',
    { alternates: 3, failovers: 3, hasPicture: true },
    failover(1000),
  ],
  [
    'ends the outage when it has lasted too long',
    { alternates: 3, failovers: 3, hasPicture: true, elapsedMs: 30_000 },
    giveUp,
  ],
  [
    'tries every source once more where media came since, though time is over',
    {
      alternates: 3,
      failovers: 9,
      failoversSinceMedia: 2,
      hasPicture: true,
      elapsedMs: 30_000,
    },
    failover(1000),
  ],
  [
    'leaves an only source in peace for as long as it asks, while there is a picture',
    { hasPicture: true, restMs: 30_000 },
    retry(30_000),
  ],
  [
    'leaves an only source in peace for ten seconds at most while there is none',
    { restMs: 30_000 },
    retry(10_000),
  ],
  [
    'has no limit when the limit is 0',
    { alternates: 1, failovers: 9, hasPicture: true, elapsedMs: 9e9 },
    failover(1000),
    { outageLimitMs: 0 },
  ],
  [
    'keeps to the failovers that are allowed',
    { alternates: 5, failovers: 2, hasPicture: true },
    giveUp,
    { maxFailovers: 2 },
  ],
  [
    'allows more failovers than there are sources when told to',
    { alternates: 1, failovers: 2 },
    failover(0),
    { maxFailovers: 5 },
  ],
  [
    'goes to a source that is open already at once, before asking again and in any round',
    { failure: 'broken', hadFlowed: true, alternates: 1, failovers: 9, hasSpare: true },
    failover(0),
  ],
  [
    'keeps to the failovers that are allowed also with a source that is open',
    { alternates: 1, failovers: 2, hasPicture: true, hasSpare: true },
    giveUp,
    { maxFailovers: 2 },
  ],
  ['retries the only source, with a pause', {}, retry(1000)],
  ['retries the only source as often as is set', { retries: 3 }, giveUp],
  ['does not retry the only source when it is useless', { failure: 'useless' }, giveUp],
  [
    'retries even a useless one for a viewer with a picture',
    { failure: 'useless', hasPicture: true, retries: 7 },
    retry(1000),
  ],
  ['ends those retries with the outage limit', { hasPicture: true, elapsedMs: 30_000 }, giveUp],
  [
    'ends retries of the only source with the outage limit',
    { retries: 1, elapsedMs: 30_000 },
    giveUp,
  ],
  ['grows the pause when told to', { retries: 1 }, retry(1500), { retryBackoffFactor: 1.5 }],
  [
    'asks an app for the first next source at once',
    { alternates: 10, hasResolver: true },
    failover(0),
  ],
  [
    'asks an app again only after a pause that grows',
    { alternates: 10, hasResolver: true, failovers: 3 },
    failover(4000),
  ],
  [
    'stops asking an app when the outage is too long',
    { alternates: 10, hasResolver: true, failovers: 3, elapsedMs: 30_000 },
    giveUp,
  ],
  [
    'gives a file up that cannot be gone on with, after as many retries as are set',
    { isFile: true, failure: 'useless', hasPicture: true, retries: 3 },
    giveUp,
  ],
  [
    'tries such a file again until then',
    { isFile: true, failure: 'useless', hasPicture: true, retries: 2 },
    retry(1000),
  ],
  [
    'has no viewer wait for a provider at its limit: that has been done',
    { isAtCapacity: true },
    giveUp,
  ],
  [
    'keeps a viewer with a picture while the provider is at its limit',
    { isAtCapacity: true, hasPicture: true },
    retry(1000),
  ],
  ['never retries without a pause', {}, retry(100), { retryDelayMs: 0 }],
];

describe('what to do about a source that failed', () => {
  const cases = ROWS.map(([name, outage, decision, policy = {}]) => ({
    name,
    outage,
    decision,
    policy,
  }));

  it.each(cases)('$name', ({ outage, decision, policy }) => {
    expect(decide({ ...POLICY, ...policy }, { ...OUTAGE, ...outage })).toEqual(decision);
  });
});
