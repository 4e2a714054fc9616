import { UpstreamError, toAppError } from '#kernel/app-error';
import { formatRange } from '#kernel/byte-range';
import type { Clock, Timers } from '#kernel/clock';
import { orAbort } from '#kernel/or-abort';
import { ByteBudget } from './byte-budget.ts';
import { continues, rangeFrom } from './byte-span.ts';
import { DiskTier } from './disk-tier.ts';
import { forbidsStoring, keepableOf } from './keepable.ts';
import { KeptBody } from './kept-body.ts';
import { MemoryTier, type Segment } from './memory-tier.ts';
import { OpenedSegment, sourceOf } from './opened-segment.ts';
import type { SegmentFiles } from './ports.ts';
import { keyOf, keysOf, resourceOf, type Wish } from './segment-key.ts';
import { SharedFetch } from './shared-fetch.ts';
import type { FetchHead, OpenResource, SharedFetchOptions } from './shared-fetch.ts';

export type SegmentStoreOptions = {
  /** For everything in memory: under way, kept, and being read. */
  readonly memoryBytes: number;
  readonly disk?: { readonly files: SegmentFiles; readonly limitBytes: number } | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
};

/** One wish for one resource. */
export type SegmentAsk = Wish & {
  /** How long it serves others once it has come whole; 0: only those who asked meanwhile. */
  readonly keepMs: number;
  /** A source that sends nothing for this long has stalled. */
  readonly stallMs: number;
  /** Nobody waits for it: it is fetched ahead. */
  readonly isAhead?: boolean;
  /** Opens it at its source. @throws AppError */
  readonly open: OpenResource;
};

/** What the store holds now. */
export type SegmentMemory = {
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  readonly memorySegments: number;
  readonly diskBytes: number;
  readonly diskSegments: number;
  readonly fetches: number;
};

type Flight = { readonly fetch: SharedFetch; isAhead: boolean };

/**
 * Segments, each fetched once for all who want it, and kept for a while within a budget of bytes.
 * A body that finds no room is not kept: it passes through.
 */
export class SegmentStore {
  readonly #options: SegmentStoreOptions;
  readonly #budget: ByteBudget;
  readonly #memory: MemoryTier;
  readonly #disk: DiskTier | undefined;
  readonly #flights = new Map<string, Flight>();
  readonly #reads = new Map<string, Promise<Segment | undefined>>();

  constructor(options: SegmentStoreOptions) {
    const { clock, disk, memoryBytes } = options;
    this.#options = options;
    this.#memory = new MemoryTier(clock);
    this.#budget = new ByteBudget(memoryBytes, (bytes) => this.#memory.makeRoom(bytes));
    this.#disk = disk && new DiskTier({ ...disk, clock });
  }

  get snapshot(): SegmentMemory {
    return {
      memoryBytes: this.#budget.usedBytes,
      memoryLimitBytes: this.#budget.limitBytes,
      memorySegments: this.#memory.count,
      diskBytes: this.#disk?.usedBytes ?? 0,
      diskSegments: this.#disk?.count ?? 0,
      fetches: new Set(this.#flights.values()).size,
    };
  }

  /** Whether nothing would have to be asked of the source. */
  has(ask: Wish): boolean {
    return keysOf(ask).some(
      (key) => this.#memory.has(key) || this.#flights.has(key) || this.#disk?.has(key) === true,
    );
  }

  /** What is in memory, at once. Whoever gets it closes it. */
  peek(ask: Wish): OpenedSegment | undefined {
    return this.#recall(ask, false);
  }

  /**
   * A segment from wherever it is, with its first bytes at hand. Any status is an answer, and only
   * 200 and 206 have a body. Whoever gets it closes it.
   *
   * @throws AppError when its source does not give it; the signal's reason.
   */
  async open(ask: SegmentAsk, signal: AbortSignal): Promise<OpenedSegment> {
    const isAhead = ask.isAhead ?? false;
    const kept = this.#recall(ask, isAhead);
    if (kept) return kept;
    const flight = this.#joinable(ask);
    if (flight) return this.#join(flight, ask, { origin: 'shared', signal });
    const stored = await this.#fromDisk(ask, signal);
    if (stored) return this.#fromTier(stored, 'disk', isAhead);
    // Somebody else may have begun while we looked.
    const begun = this.#recall(ask, isAhead);
    if (begun) return begun;
    const other = this.#joinable(ask);
    if (other) return this.#join(other, ask, { origin: 'shared', signal });
    return this.#join(this.#start(ask), ask, { origin: 'source', signal });
  }

  /** Forgets all whose resource the filter means. What is under way goes on for its readers. */
  forget(isMeant: (resource: string) => boolean): void {
    const meansKey = (key: string): boolean => isMeant(resourceOf(key));
    this.#memory.deleteAll(meansKey);
    this.#disk?.deleteAll(meansKey);
  }

  #recall(ask: Wish, isAhead: boolean): OpenedSegment | undefined {
    for (const key of keysOf(ask)) {
      const segment = this.#memory.get(key);
      if (segment) return this.#fromTier(segment, 'memory', isAhead);
    }
    return undefined;
  }

  #fromTier(segment: Segment, origin: 'memory' | 'disk', isAhead: boolean): OpenedSegment {
    const { head, body } = segment;
    const wasAhead = segment.isUnasked;
    if (!isAhead) segment.isUnasked = false;
    body.retain();
    return new OpenedSegment({
      head,
      origin,
      wasAhead,
      source: sourceOf(body),
      isKept: () => true,
      release: () => body.release(),
      from: () => Promise.reject(unreachable()),
    });
  }

  #joinable(ask: Wish): Flight | undefined {
    for (const key of keysOf(ask)) {
      const flight = this.#flights.get(key);
      if (flight?.fetch.isJoinable) return flight;
    }
    return undefined;
  }

  async #join(
    flight: Flight,
    ask: SegmentAsk,
    { origin, signal }: { readonly origin: 'shared' | 'source'; readonly signal: AbortSignal },
  ): Promise<OpenedSegment> {
    const { fetch } = flight;
    const release = fetch.hold();
    const wasAhead = flight.isAhead;
    if (!ask.isAhead) flight.isAhead = false;
    try {
      const head = await orAbort(fetch.opened, signal);
      const from = (at: number): Promise<OpenedSegment> => this.#alone(ask, { head, at, signal });
      const isKept = (): boolean => fetch.kept !== undefined;
      return new OpenedSegment({ head, origin, wasAhead, source: fetch, isKept, release, from });
    } catch (error) {
      release();
      throw error;
    }
  }

  #start(ask: SegmentAsk): Flight {
    const own = keyOf(ask);
    const fetch = this.#fetch(ask, { concluded: (ended) => this.#concluded(ended, ask) });
    const flight: Flight = { fetch, isAhead: ask.isAhead ?? false };
    this.#flights.set(own, flight);
    // A source that knows no ranges sends the whole: then it is there for all.
    const opened = ({ status }: FetchHead): void => {
      if (status !== 200 || fetch.isOver || this.#flights.has(ask.resource)) return;
      this.#flights.set(ask.resource, flight);
    };
    fetch.opened.then(opened, () => {});
    return flight;
  }

  #fetch(ask: SegmentAsk, own: Pick<SharedFetchOptions, 'concluded' | 'isAlone'>): SharedFetch {
    const { open, range, stallMs } = ask;
    const first = range && formatRange(range);
    return new SharedFetch({
      open: (rest, signal) => open(rest ?? first, signal),
      stallMs,
      timers: this.#options.timers,
      budget: this.#budget,
      ...own,
    });
  }

  /** For a reader that has fallen behind: the rest, by a request of its own. */
  async #alone(
    ask: SegmentAsk,
    {
      head,
      at,
      signal,
    }: { readonly head: FetchHead; readonly at: number; readonly signal: AbortSignal },
  ): Promise<OpenedSegment> {
    const { span } = head;
    if (!span) throw unreachable();
    const next = span.first + at;
    const open: OpenResource = (range, gone) => ask.open(range ?? rangeFrom(span, next), gone);
    const own = { concluded: () => {}, isAlone: true };
    const fetch = this.#fetch({ ...ask, range: undefined, open }, own);
    const release = fetch.hold();
    try {
      const rest = await orAbort(fetch.opened, signal);
      if (!continues(span, next, rest)) throw unreachable();
      const from = (further: number): Promise<OpenedSegment> =>
        this.#alone(ask, { head, at: at + further, signal });
      return new OpenedSegment({
        head: rest,
        origin: 'source',
        wasAhead: false,
        source: fetch,
        isKept: () => false,
        release,
        from,
      });
    } catch (error) {
      release();
      throw toAppError(error);
    }
  }

  #concluded(fetch: SharedFetch, ask: SegmentAsk): void {
    const flights = [...this.#flights].filter(([, flight]) => flight.fetch === fetch);
    for (const [key] of flights) this.#flights.delete(key);
    const keepable = ask.keepMs > 0 ? keepableOf(fetch) : undefined;
    if (!keepable) return;
    const { head, body } = keepable;
    const expiresAtMs = this.#options.clock.monotonicMs() + ask.keepMs;
    const isUnasked = flights.some(([, { isAhead }]) => isAhead);
    const key = head.status === 200 ? ask.resource : keyOf(ask);
    body.retain();
    this.#memory.set(key, { head, body, expiresAtMs, isUnasked });
    if (!forbidsStoring(head)) void this.#disk?.add(key, { head, body, expiresAtMs });
  }

  async #fromDisk(ask: SegmentAsk, signal: AbortSignal): Promise<Segment | undefined> {
    const key = this.#disk && keysOf(ask).find((candidate) => this.#disk?.has(candidate));
    if (key === undefined) return undefined;
    const reading =
      this.#reads.get(key) ?? this.#readDisk(key).finally(() => this.#reads.delete(key));
    this.#reads.set(key, reading);
    return orAbort(reading, signal);
  }

  /** Reads a segment back into memory. */
  async #readDisk(key: string): Promise<Segment | undefined> {
    const stored = await this.#disk?.read(key);
    if (!stored) return undefined;
    const { head, expiresAtMs, bytes } = stored;
    const body = KeptBody.reserve(this.#budget, bytes.length);
    if (!body?.push(bytes)) return undefined;
    const segment: Segment = { head, body, expiresAtMs, isUnasked: false };
    this.#memory.set(key, segment);
    return segment;
  }
}

const unreachable = (): UpstreamError =>
  new UpstreamError('UPSTREAM_CHANGED', {
    message: 'The source does not give the rest of what it began.',
  });
