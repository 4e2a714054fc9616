import type { Redis } from 'ioredis';
import { DependencyError } from '#kernel/app-error';
import { systemClock, systemTimers } from '#kernel/clock';
import type { Clock, Timer, Timers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import type { StateChange, StateJournal } from '#streams';
import { COMMIT_LUA, COMMIT_SHA } from './commit-script.ts';
import { encodeChange } from './encode-change.ts';
import { JournalBacklog } from './journal-backlog.ts';
import type { JournalEntry } from './journal-backlog.ts';
import { keysOf, presenceKeysOf } from './keys.ts';
import { isPassing, storeUnavailable, toStoreError } from './store-errors.ts';

export type StateJournalOptions = {
  /** A connection for `commands`; stays the caller's. */
  readonly redis: Redis;
  readonly prefix: string;
  /** Names this process in the change notes that others receive. */
  readonly origin: string;
  /** About how many events the log keeps. */
  readonly eventLogMax: number;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly timers?: Timers;
};

const COMMIT_DEADLINE_MS = 2_000;
const REOPEN_DELAY_MS = 100;
/** Changes that are kept while Redis is away; about 50 MB. */
const BACKLOG_LIMIT = 50_000;
/** Changes under way: enough to keep a connection busy, few enough to repeat after a break. */
const WINDOW = 2_000;

/**
 * The journal on one connection. Every call becomes one script run, sent in the order of the
 * calls without waiting for replies. When the connection breaks, what had no reply is sent again:
 * the changes guard themselves, so a repetition does nothing, except that an event may stand in
 * the log twice under the same id.
 */
export class RedisStateJournal implements StateJournal {
  readonly #redis: Redis;
  readonly #origin: string;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #head: readonly (string | number)[];
  readonly #backlog = new JournalBacklog(BACKLOG_LIMIT);
  readonly #onReady = (): void => {
    if (this.#state === 'ready') this.#requeue(); // A new connection, whose break nobody felt.
    void this.#open();
  };
  #sent: JournalEntry[] = [];
  #sentChanges = 0;
  #lost = 0;
  /** Counts connections: replies that belong to an earlier one are not heard. */
  #generation = 0;
  #state: 'away' | 'opening' | 'ready' | 'closed' = 'away';
  #awaySinceMs: number;
  #hasComplained = false;
  #reopening: Timer | undefined;
  #emptied: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: StateJournalOptions) {
    this.#redis = options.redis;
    this.#origin = options.origin;
    this.#logger = options.logger;
    this.#clock = options.clock ?? systemClock;
    this.#timers = options.timers ?? systemTimers;
    this.#head = scriptHead(options.prefix, options.eventLogMax);
    this.#awaySinceMs = this.#clock.monotonicMs();
    this.#redis.on('ready', this.#onReady);
    if (this.#redis.status === 'ready') this.#onReady();
  }

  /** Changes that are not known to be written yet. */
  get pending(): number {
    return this.#backlog.size + this.#sentChanges;
  }

  /** Changes that will never be written. */
  get lost(): number {
    return this.#lost;
  }

  /**
   * As the port has it. When the deadline of two seconds passes between sending and reply, the
   * changes may have been written all the same; repeating the call is safe.
   */
  commit(changes: readonly StateChange[]): Promise<void> {
    if (this.#closing) return Promise.reject(shuttingDown());
    if (changes.length === 0) return Promise.resolve();
    if (this.#isLongAway()) return Promise.reject(storeUnavailable());
    return new Promise((resolve, reject) => {
      const deadline = this.#timers.after(COMMIT_DEADLINE_MS, () => this.#expire(entry));
      const settle = (done: () => void): void => {
        deadline.cancel();
        done();
      };
      const entry: JournalEntry = {
        changes,
        outcome: {
          resolve: () => settle(resolve),
          reject: (error) => settle(() => reject(error)),
        },
      };
      this.#take(entry);
    });
  }

  append(changes: readonly StateChange[]): void {
    if (changes.length === 0) return;
    if (this.#state === 'closed') return this.#logLost('closed', changes.length);
    this.#take({ changes: [...changes] });
  }

  /** Writes what is kept, for at most `deadlineMs`; what is left then is logged as lost. */
  close(deadlineMs: number = COMMIT_DEADLINE_MS): Promise<void> {
    return (this.#closing ??= this.#close(deadlineMs));
  }

  #isLongAway(): boolean {
    if (this.#state === 'ready') return false;
    return this.#clock.monotonicMs() - this.#awaySinceMs > COMMIT_DEADLINE_MS;
  }

  #take(entry: JournalEntry): void {
    this.#logDropped(this.#backlog.push(entry));
    this.#pump();
  }

  #pump(): void {
    while (this.#state === 'ready' && this.#sentChanges < WINDOW) {
      const entry = this.#backlog.shift();
      if (!entry) break;
      this.#send(entry);
    }
    if (this.#sent.length === 0 && this.#backlog.size === 0) this.#emptied?.();
  }

  #send(entry: JournalEntry): void {
    const generation = this.#generation;
    const fields = entry.changes.flatMap((change) => encodeChange(change, this.#origin));
    this.#sent.push(entry);
    this.#sentChanges += entry.changes.length;
    this.#redis.evalsha(COMMIT_SHA, ...this.#scriptArguments(fields)).then(
      () => this.#settle(generation, entry),
      (error: unknown) => this.#refuse(generation, entry, error),
    );
  }

  #scriptArguments(fields: readonly string[]): [number, ...(string | number)[]] {
    return [KEY_COUNT, ...this.#head, ...fields];
  }

  #settle(generation: number, entry: JournalEntry): void {
    if (generation !== this.#generation) return;
    this.#forgetSent(entry);
    this.#hasComplained = false;
    entry.outcome?.resolve();
    this.#pump();
  }

  #refuse(generation: number, entry: JournalEntry, error: unknown): void {
    if (generation !== this.#generation) return;
    if (isPassing(error)) return this.#lose(error);
    this.#forgetSent(entry);
    if (!entry.outcome) this.#logLost('refused', entry.changes.length, error);
    entry.outcome?.reject(toStoreError(error));
    this.#pump();
  }

  /** Replies come in the order of sending, so the entry is nearly always the first. */
  #forgetSent(entry: JournalEntry): void {
    const index = this.#sent.indexOf(entry);
    if (index < 0) return;
    this.#sent.splice(index, 1);
    this.#sentChanges -= entry.changes.length;
  }

  /** The connection broke, or Redis cannot write now. */
  #lose(error: unknown): void {
    if (this.#state === 'closed') return;
    this.#requeue();
    this.#reopenLater();
    if (this.#hasComplained) return;
    this.#hasComplained = true;
    this.#logger.warn('journal waits for redis', { pending: this.pending, error });
  }

  /** All that has no reply is sent again, before all else. */
  #requeue(): void {
    this.#generation += 1;
    this.#state = 'away';
    this.#awaySinceMs = this.#clock.monotonicMs();
    this.#logDropped(this.#backlog.unshift(this.#sent));
    this.#sent = [];
    this.#sentChanges = 0;
  }

  /** `ready` tells of a new connection, but not of the end of a refusal such as OOM. */
  #reopenLater(): void {
    this.#reopening?.cancel();
    this.#reopening = this.#timers.after(REOPEN_DELAY_MS, () => void this.#open());
  }

  async #open(): Promise<void> {
    if (this.#state !== 'away') return;
    this.#reopening?.cancel();
    this.#state = 'opening';
    const generation = this.#generation;
    try {
      await this.#redis.script('LOAD', COMMIT_LUA);
      if (generation !== this.#generation || this.#state !== 'opening') return;
      this.#state = 'ready';
      this.#pump();
    } catch {
      // Still away, which the connection itself logs.
      if (this.#state !== 'opening') return;
      this.#state = 'away';
      this.#reopenLater();
    }
  }

  /** What is on its way already is not sent again. */
  #expire(entry: JournalEntry): void {
    if (this.#sent.includes(entry)) this.#sentChanges -= entry.changes.length;
    this.#backlog.forget(entry);
    entry.outcome?.reject(storeUnavailable());
  }

  async #close(deadlineMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const deadline = this.#timers.after(deadlineMs, resolve);
      this.#emptied = () => {
        deadline.cancel();
        resolve();
      };
      this.#pump();
    });
    this.#state = 'closed';
    this.#generation += 1;
    this.#reopening?.cancel();
    this.#redis.off('ready', this.#onReady);
    if (this.pending > 0) this.#logLost('closed', this.pending);
  }

  #logDropped(changes: number): void {
    if (changes > 0) this.#logLost('backlog full', changes);
  }

  #logLost(reason: string, changes: number, error?: unknown): void {
    this.#lost += changes;
    this.#logger.error('state changes lost', { reason, changes, error });
  }
}

const KEY_COUNT = 9;

function scriptHead(prefix: string, eventLogMax: number): readonly (string | number)[] {
  const { streams, touched, open, viewers, events, nodes, ...more } = keysOf(prefix);
  const { watching, node, changes } = more;
  const { present, counts, switches } = presenceKeysOf(prefix);
  const keys = [streams, touched, open, viewers, events, nodes, present, counts, switches];
  return [...keys, watching, node, changes, eventLogMax];
}

const shuttingDown = (): DependencyError =>
  new DependencyError('SHUTTING_DOWN', { message: 'This process is shutting down.' });
