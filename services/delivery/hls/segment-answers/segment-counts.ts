import type { ClientId } from '#kernel/ids';
import type { SegmentOrigin } from '#segments';
import { Lru } from '#delivery/viewing';

/** How segments, init segments and keys were answered, each request once. */
export type SegmentCounts = {
  /** Handed to viewers. */
  readonly bytes: number;
  readonly requests: number;
  /** Answered from memory or disk, without asking the source. */
  readonly cacheHits: number;
  /** Of those and of the joined ones: fetched before anybody asked. */
  readonly aheadHits: number;
  /** Joined a request that was under way for another viewer, or ahead. */
  readonly coalesced: number;
  /** Asked of the source. */
  readonly fetched: number;
};

type Counts = { -readonly [Name in keyof SegmentCounts]: SegmentCounts[Name] };

const NONE: SegmentCounts = {
  bytes: 0,
  requests: 0,
  cacheHits: 0,
  aheadHits: 0,
  coalesced: 0,
  fetched: 0,
};

/** Viewers of one stream that are counted one by one; those who asked last. */
const MAX_VIEWERS = 1024;

/** The counts of one stream, and of each of its viewers. */
export class SegmentCounter {
  readonly #all: Counts = { ...NONE };
  readonly #byViewer = new Lru<ClientId, Counts>(MAX_VIEWERS);

  get all(): SegmentCounts {
    return { ...this.#all };
  }

  of(viewer: ClientId): SegmentCounts {
    return { ...(this.#byViewer.get(viewer) ?? NONE) };
  }

  served(viewer: ClientId, bytes: number): void {
    this.#all.bytes += bytes;
    this.#ofViewer(viewer).bytes += bytes;
  }

  answered(viewer: ClientId, answer: { origin: SegmentOrigin; wasAhead: boolean }): void {
    for (const counts of [this.#all, this.#ofViewer(viewer)]) {
      counts.requests += 1;
      counts[COUNTED_AS[answer.origin]] += 1;
      if (answer.wasAhead) counts.aheadHits += 1;
    }
  }

  #ofViewer(viewer: ClientId): Counts {
    const known = this.#byViewer.get(viewer);
    if (known) return known;
    const counts = { ...NONE };
    this.#byViewer.set(viewer, counts);
    return counts;
  }
}

const COUNTED_AS = {
  memory: 'cacheHits',
  disk: 'cacheHits',
  shared: 'coalesced',
  source: 'fetched',
} as const satisfies Record<SegmentOrigin, keyof SegmentCounts>;
