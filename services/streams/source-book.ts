import type { AppError } from '#kernel/app-error';
import type { Clock, Timer, Timers } from '#kernel/clock';
import { HEALTHY, failureFacts, stepHealth } from '#upstream';
import type { HealthEvent, SourceHealth } from '#upstream';
import { Wakeups } from './wakeups.ts';

/** A resolver may name URL after URL; older ones are forgotten. */
const MAX_RECORDS = 64;
/** A probe of which nothing is heard for this long counts as abandoned. */
const PROBE_DEADLINE_MS = 60_000;

/** What became of a probe; `undefined` while it is under way. */
export type ProbeEnd = 'flowed' | 'abandoned' | AppError;

/** One reader's try of a source that had to cool, for all who wait for it. */
export type Probe = { end: ProbeEnd | undefined };

/** Leave to open a source; `probe` is another reader's that has to be awaited first. */
export type Admission = { readonly isAdmitted: true } | { readonly probe: Probe };

type HeldProbe = { readonly probe: Probe; readonly stop: () => void };

/** The health of one stream's sources, by URL, and who is trying which of them. */
export class SourceBook {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #records = new Map<string, SourceHealth>();
  readonly #probes = new Map<string, HeldProbe>();
  /** Woken when a probe has ended, and by the cursor when the stream moves. */
  readonly changes: Wakeups;

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
    this.changes = new Wakeups(timers);
  }

  healthOf(url: string): SourceHealth {
    return this.#records.get(url) ?? HEALTHY;
  }

  /** Media came from this source. */
  flowed(url: string): void {
    this.#step(url, { type: 'flowed' });
    this.#endProbe(url, 'flowed');
  }

  /** A connection to this source failed, over which media had flowed for `goodMs`. */
  failed(url: string, error: AppError, goodMs: number): void {
    const atMs = this.#clock.monotonicMs();
    this.#step(url, { type: 'failed', ...failureFacts(error), goodMs, atMs });
    this.#endProbe(url, error);
  }

  /**
   * Asks for leave to open a source. Of one that had to cool, the first to ask becomes the probe.
   * @param holder - Its abort ends the probe: the next to ask may try.
   */
  admit(url: string, holder: AbortSignal): Admission {
    const held = this.#probes.get(url);
    if (held !== undefined) return { probe: held.probe };
    if (this.healthOf(url).state !== 'closed') this.#beginProbe(url, holder);
    return { isAdmitted: true };
  }

  /** What is known counts no more: the stream was posted anew. */
  forget(): void {
    for (const url of this.#probes.keys()) this.#endProbe(url, 'abandoned');
    this.#records.clear();
  }

  #beginProbe(url: string, holder: AbortSignal): void {
    const abandon = (): void => {
      this.#step(url, { type: 'abandoned' });
      this.#endProbe(url, 'abandoned');
    };
    const deadline: Timer = this.#timers.after(PROBE_DEADLINE_MS, abandon, { background: true });
    const stop = (): void => {
      deadline.cancel();
      holder.removeEventListener('abort', abandon);
    };
    this.#step(url, { type: 'probed' });
    this.#probes.set(url, { probe: { end: undefined }, stop });
    holder.addEventListener('abort', abandon, { once: true });
    if (holder.aborted) abandon();
  }

  #endProbe(url: string, end: ProbeEnd): void {
    const held = this.#probes.get(url);
    if (held === undefined) return;
    held.stop();
    held.probe.end = end;
    this.#probes.delete(url);
    this.changes.wake();
  }

  #step(url: string, event: HealthEvent): void {
    const health = stepHealth(this.healthOf(url), event);
    this.#records.delete(url);
    if (health === HEALTHY) return;
    this.#records.set(url, health); // Now the youngest: the first of the map is the oldest.
    const [oldest] = this.#records.keys();
    if (this.#records.size > MAX_RECORDS && oldest !== undefined) this.#records.delete(oldest);
  }
}
