import type { Clock, Timers } from '#kernel/clock';
import type { StreamId } from '#kernel/ids';
import type { RunHolders } from '#transcode';

export type HlsOwnersOptions = {
  readonly holders: RunHolders & { holds(streamId: StreamId): boolean };
  /** Where other processes reach this one. */
  readonly ownUrl: () => string;
  /** Rejects for what is no stream: that has no owner. */
  readonly open: (id: StreamId) => Promise<unknown>;
  /** Told when this process becomes the owner. */
  readonly taken?: (id: StreamId) => void;
  readonly clock: Clock;
  readonly timers: Timers;
};

type Known = { url: string; askedMs: number; usedMs: number };

/** How long another process is taken for the owner without asking again. */
const TRUSTED_MS = 300;
/** A stream that nobody has asked for this long is anybody's. */
const IDLE_MS = 120_000;
const SWEEP_MS = 10_000;
/** An owner that is alive, but cannot be reached from here, is not asked for this long. */
const SHUNNED_MS = 30_000;

/**
 * Which api process serves the HLS of each stream: the first that is asked, for as long as it lives
 * and is asked. Numbers of segments, what is cut, and who watches are known there alone.
 */
export class HlsOwners {
  readonly #options: HlsOwnersOptions;
  readonly #known = new Map<StreamId, Known>();
  readonly #asking = new Map<StreamId, Promise<string | undefined>>();
  readonly #shunned = new Map<string, number>();
  #isClosed = false;

  constructor(options: HlsOwnersOptions) {
    this.#options = options;
    this.#armSweep();
  }

  /** Whether it is this process, as far as it has heard. */
  isHere(id: StreamId): boolean {
    const known = this.#known.get(id);
    if (!known || !this.#options.holders.holds(id)) return false;
    known.usedMs = this.#options.clock.monotonicMs();
    return true;
  }

  /** Another process that serves it; nothing when that is this one, or nobody can tell. */
  async elsewhere(id: StreamId): Promise<string | undefined> {
    if (this.#isClosed || this.isHere(id)) return undefined;
    const { clock, ownUrl } = this.#options;
    const known = this.#known.get(id);
    // This one was it, and is it no more.
    const isOver = known?.url === ownUrl();
    const isFresh = known && !isOver && clock.monotonicMs() - known.askedMs < TRUSTED_MS;
    const url = isFresh ? known.url : await this.#ask(id);
    return url === ownUrl() || this.#isShunned(url) ? undefined : url;
  }

  /** The owner could not be reached: it is asked for anew. */
  missed(id: StreamId): void {
    this.#known.delete(id);
  }

  /** It lives, and cannot be reached: until further notice this process serves for itself. */
  shun(url: string): void {
    this.#shunned.set(url, this.#options.clock.monotonicMs() + SHUNNED_MS);
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const id of this.#known.keys()) this.#release(id);
  }

  #isShunned(url: string): boolean {
    const untilMs = this.#shunned.get(url);
    if (untilMs === undefined) return false;
    if (this.#options.clock.monotonicMs() < untilMs) return true;
    this.#shunned.delete(url);
    return false;
  }

  async #ask(id: StreamId): Promise<string> {
    const { ownUrl, clock } = this.#options;
    const asking = this.#asking.get(id) ?? this.#owner(id);
    this.#asking.set(id, asking);
    const url = await asking.finally(() => this.#asking.delete(id));
    if (url === undefined) return ownUrl();
    if (url === ownUrl() && this.#known.get(id)?.url !== url) this.#options.taken?.(id);
    const nowMs = clock.monotonicMs();
    this.#known.set(id, { url, askedMs: nowMs, usedMs: nowMs });
    return url;
  }

  /** Nothing where nobody can tell: it is no stream, or the store is away. */
  async #owner(id: StreamId): Promise<string | undefined> {
    const { holders, ownUrl, open } = this.#options;
    try {
      await open(id);
      return await holders.take(id, ownUrl());
    } catch {
      return undefined;
    }
  }

  #armSweep(): void {
    if (this.#isClosed) return;
    this.#options.timers.after(SWEEP_MS, () => this.#sweep(), { background: true });
  }

  #sweep(): void {
    const sinceMs = this.#options.clock.monotonicMs() - IDLE_MS;
    for (const [id, { usedMs }] of this.#known) if (usedMs < sinceMs) this.#release(id);
    this.#armSweep();
  }

  #release(id: StreamId): void {
    const { holders, ownUrl } = this.#options;
    if (this.#known.get(id)?.url === ownUrl()) holders.release(id, ownUrl());
    this.#known.delete(id);
  }
}
