import { backoffMs } from '#kernel/backoff';
import type { FailureClass } from './failure-class.ts';

export type RetryPolicy = {
  /** Retries of one source, when there is no other to go to. */
  readonly retryAttempts: number;
  readonly retryDelayMs: number;
  /** Growth of the delay per retry or round: 1 is constant. */
  readonly retryBackoffFactor: number;
  /** How long an outage may last for a viewer that has had a picture; 0 for no limit. */
  readonly outageLimitMs: number;
  /** Switches of source per outage; 0 for one round through all. */
  readonly maxFailovers: number;
};

/** One outage so far, as one reader sees it. */
export type Outage = {
  readonly failure: FailureClass;
  /** The source asked to be left in peace for so long. */
  readonly restMs?: number;
  /** Media had come over the connection that failed. */
  readonly hadFlowed: boolean;
  /** Media has reached the viewer at some time: its player waits rather than shows an error. */
  readonly hasPicture: boolean;
  /** Tries of the same source since the last switch. */
  readonly retries: number;
  readonly failovers: number;
  /** Of these, the ones since media came last; all of them when absent. */
  readonly failoversSinceMedia?: number;
  /** Other sources there are; with a resolver: how often it may be asked. */
  readonly alternates: number;
  /** For how long there was no media. */
  readonly elapsedMs: number;
  /** Another source is open already and gives media. */
  readonly hasSpare?: boolean;
  /** The app is asked for each next source; it is not to be hammered. */
  readonly hasResolver?: boolean;
  /** Its provider allows no more connections now: another try must wait until somebody leaves. */
  readonly isAtCapacity?: boolean;
  /** A file is read, whose end is known: what cannot be gone on with is soon given up. */
  readonly isFile?: boolean;
};

export type Decision =
  | { readonly action: 'retry'; readonly delayMs: number }
  | { readonly action: 'failover'; readonly delayMs: number }
  | { readonly action: 'give-up' };

/**
 * What to do about a source that failed.
 *
 * A source that broke off while it worked is asked once more at once. Then the next source's turn
 * comes, without delay within the first round. Where there is no other, the same is tried again.
 * A viewer that has had a picture is kept through further rounds until the outage is too long.
 * Where another source is open already, it takes over at once.
 */
export function decide(policy: RetryPolicy, outage: Outage): Decision {
  if (outage.hasSpare && isAllowed(policy, outage)) return { action: 'failover', delayMs: 0 };
  if (hasJustBrokenOff(outage)) return { action: 'retry', delayMs: 0 };
  if (outage.alternates === 0) return decideAlone(policy, outage);
  const perRound = policy.maxFailovers > 0 ? policy.maxFailovers : outage.alternates;
  if (outage.failovers < perRound) return withinRound(policy, outage);
  if (policy.maxFailovers > 0 || !mayGoOn(policy, outage)) return { action: 'give-up' };
  const rounds = Math.floor(outage.failovers / outage.alternates);
  return { action: 'failover', delayMs: pauseMs(policy, rounds) };
}

/** An app is asked at once, then with growing pauses; a list is gone through without any. */
function withinRound(policy: RetryPolicy, outage: Outage): Decision {
  if (!outage.hasResolver || outage.failovers === 0) return { action: 'failover', delayMs: 0 };
  if (!isWithin(policy, outage)) return { action: 'give-up' };
  const doubling = { ...policy, retryBackoffFactor: 2 };
  return { action: 'failover', delayMs: pauseMs(doubling, outage.failovers) };
}

function decideAlone(policy: RetryPolicy, outage: Outage): Decision {
  const delayMs = Math.max(restOf(outage), pauseMs(policy, outage.retries + 1));
  const again: Decision = { action: 'retry', delayMs };
  const isLost = outage.isFile === true && outage.failure === 'useless';
  if (outage.hasPicture && !isLost) return mayGoOn(policy, outage) ? again : { action: 'give-up' };
  const isWorthIt = outage.failure !== 'useless' && outage.isAtCapacity !== true;
  const mayTry = (outage.hasPicture || isWorthIt) && outage.retries < policy.retryAttempts;
  return mayTry && isWithin(policy, outage) ? again : { action: 'give-up' };
}

/** Who has no picture yet is not kept waiting for a minute. */
const restOf = ({ restMs = 0, hasPicture }: Outage): number =>
  hasPicture ? restMs : Math.min(restMs, MAX_DELAY_MS);

const hasJustBrokenOff = ({ failure, hadFlowed, retries }: Outage): boolean =>
  failure === 'broken' && hadFlowed && retries === 0;

const isAllowed = ({ maxFailovers }: RetryPolicy, { failovers }: Outage): boolean =>
  maxFailovers === 0 || failovers < maxFailovers;

/**
 * Only a viewer with a picture is kept waiting beyond the first round. Whenever media has come,
 * every source gets a try before time counts.
 */
const mayGoOn = (policy: RetryPolicy, outage: Outage): boolean => {
  const { hasPicture, failovers, failoversSinceMedia = failovers, alternates } = outage;
  return hasPicture && (isWithin(policy, outage) || failoversSinceMedia < alternates);
};

const isWithin = (policy: RetryPolicy, outage: Outage): boolean =>
  policy.outageLimitMs === 0 || outage.elapsedMs < policy.outageLimitMs;

/** While a slate is shown tries go on without end, so they have to grow rarer. */
const ENDLESS_BACKOFF_FACTOR = 1.5;

/** The policy of a reader that has something else to show its viewers: it never gives up. */
export const endless = (policy: RetryPolicy): RetryPolicy => ({
  ...policy,
  outageLimitMs: 0,
  maxFailovers: 0,
  retryBackoffFactor: Math.max(ENDLESS_BACKOFF_FACTOR, policy.retryBackoffFactor),
});

const MIN_DELAY_MS = 100; // A delay of 0 in the configuration must not make a hot loop.
const MAX_DELAY_MS = 10_000;

/** The pause before the `attempt`-th further round or retry: never none. */
export const pauseMs = (policy: RetryPolicy, attempt: number): number =>
  backoffMs(
    {
      baseMs: Math.max(MIN_DELAY_MS, policy.retryDelayMs),
      maxMs: MAX_DELAY_MS,
      factor: policy.retryBackoffFactor,
      jitter: 0,
    },
    attempt,
    () => 0,
  );
