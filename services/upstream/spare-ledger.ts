import type { AppError } from '#kernel/app-error';
import type { Clock } from '#kernel/clock';
import { failureClassOf } from './failure-class.ts';
import { accountOf } from './provider-account.ts';
import { slateTriggerOf } from './slate-trigger.ts';
import type { SparePermit, SparePermits, SpareRequest, UsedConnection } from './spare-permits.ts';

/** Who breaks a connection off because another was opened does so when that one is answered. */
const KILL_MS = 1_000;
/** What was learned may have been chance, or a limit that is another one tomorrow. */
const FIRST_REST_MS = 600_000;
const REST_FACTOR = 4;
const MAX_REST_MS = 86_400_000;
const MAX_ACCOUNTS = 1_000;

type Account = {
  /** Connections of this process, spare ones included. */
  open: number;
  /** Spare ones that have not been answered yet. */
  asked: number;
  answeredMs: number;
  /** Until then it gets one connection of live streams, and no spare one beside it. */
  restsUntilMs: number;
  strikes: number;
};

/**
 * Allows spare connections as far as accounts bear them: not where one has cost a connection in use
 * before. Many accounts allow one connection and reset the
 * oldest when another comes: there a standby would break what it is to stand by for, again and again.
 */
export class SpareLedger implements SparePermits {
  readonly #clock: Clock;
  readonly #accounts = new Map<string, Account>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  acquire({ url }: SpareRequest): SparePermit | undefined {
    const name = accountOf(url);
    const account = this.#accountOf(name);
    const isResting = this.#clock.monotonicMs() < account.restsUntilMs;
    if (isResting && account.open >= 1) return undefined;
    account.asked += 1;
    const answered = once(() => (account.asked -= 1));
    const close = this.#open(name, account);
    return {
      answered: () => {
        answered();
        account.answeredMs = this.#clock.monotonicMs();
      },
      isRefusal: (error) => this.#isRefusal(account, error),
      release: () => {
        answered();
        close();
      },
    };
  }

  use(url: string): UsedConnection {
    const name = accountOf(url);
    const account = this.#accountOf(name);
    return {
      broke: (error) => this.#isKilled(account, error),
      end: this.#open(name, account),
    };
  }

  #isKilled(account: Account, error: AppError): boolean {
    const sinceMs = this.#clock.monotonicMs() - account.answeredMs;
    const isKilled = account.asked > 0 || sinceMs <= KILL_MS;
    if (!isKilled || failureClassOf(error) !== 'broken') return false;
    this.#rest(account);
    return true;
  }

  #isRefusal(account: Account, error: AppError): boolean {
    const isRefused = slateTriggerOf(error) === 'provider_connections_exhausted';
    if (!isRefused || account.open < 2) return false;
    this.#rest(account);
    return true;
  }

  #rest(account: Account): void {
    const restMs = FIRST_REST_MS * REST_FACTOR ** account.strikes;
    account.strikes += 1;
    account.restsUntilMs = this.#clock.monotonicMs() + Math.min(restMs, MAX_REST_MS);
  }

  /** Counts one more; gives what ends it. */
  #open(name: string, account: Account): () => void {
    account.open += 1;
    return once(() => {
      account.open -= 1;
      if (account.open === 0 && account.strikes === 0) this.#accounts.delete(name);
    });
  }

  #accountOf(name: string): Account {
    const known = this.#accounts.get(name) ?? newAccount();
    this.#accounts.delete(name);
    this.#accounts.set(name, known); // The youngest now.
    if (this.#accounts.size > MAX_ACCOUNTS) this.#forgetOne();
    return known;
  }

  /** The oldest that is not in use. */
  #forgetOne(): void {
    for (const [name, { open }] of this.#accounts) {
      if (open === 0) return void this.#accounts.delete(name);
    }
  }
}

const newAccount = (): Account => ({
  open: 0,
  asked: 0,
  answeredMs: -Infinity,
  restsUntilMs: -Infinity,
  strikes: 0,
});

function once(call: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    call();
  };
}
