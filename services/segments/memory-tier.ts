import type { Clock } from '#kernel/clock';
import type { FetchHead } from './shared-fetch.ts';
import type { KeptBody } from './kept-body.ts';

/** A body that came whole, and what its source said of it. */
export type Segment = {
  readonly head: FetchHead;
  readonly body: KeptBody;
  readonly expiresAtMs: number;
  /** It was fetched before anybody asked, and nobody has asked yet. */
  isUnasked: boolean;
};

/** Whole segments in memory, by key; those that were not asked for longest go first. */
export class MemoryTier {
  readonly #segments = new Map<string, Segment>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get count(): number {
    return this.#segments.size;
  }

  has(key: string): boolean {
    return this.#find(key) !== undefined;
  }

  get(key: string): Segment | undefined {
    const segment = this.#find(key);
    if (!segment) return undefined;
    this.#segments.delete(key);
    this.#segments.set(key, segment);
    return segment;
  }

  /** Takes over the caller's hold on the body. */
  set(key: string, segment: Segment): void {
    this.delete(key);
    this.#segments.set(key, segment);
    this.#dropExpired();
  }

  delete(key: string): void {
    const segment = this.#segments.get(key);
    this.#segments.delete(key);
    segment?.body.release();
  }

  deleteAll(isMeant: (key: string) => boolean): void {
    for (const key of this.#segments.keys()) if (isMeant(key)) this.delete(key);
  }

  /** Lets go of segments until so many bytes are free. What is being read frees nothing. */
  makeRoom(bytes: number): void {
    let left = bytes;
    for (const [key, { body }] of this.#segments) {
      if (left <= 0) return;
      if (body.isShared) continue;
      left -= body.reservedBytes;
      this.delete(key);
    }
  }

  #find(key: string): Segment | undefined {
    const segment = this.#segments.get(key);
    if (!segment || segment.expiresAtMs > this.#clock.monotonicMs()) return segment;
    this.delete(key);
    return undefined;
  }

  #dropExpired(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, { expiresAtMs }] of this.#segments) {
      if (expiresAtMs <= nowMs) this.delete(key);
    }
  }
}
