import { createHash } from 'node:crypto';
import type { ListedResource, Target } from '#hls';
import type { ByteRange } from '#kernel/byte-range';
import type { Clock, Timers } from '#kernel/clock';
import type { OpenResource, OpenedSegment, SegmentAsk, SegmentStore } from '#segments';
import type { Source } from '#streams';
import { TakenPlace } from '#upstream';
import type { ConnectionAllowance, ConnectionPermit, SparePlace } from '#upstream';
import type { HlsStream, ListPlace } from '#delivery/hls/playlists';
import { LookAhead } from './look-ahead.ts';
import type { AheadOutcome, AheadStream } from './look-ahead.ts';
import type { AheadItem } from './look-ahead-plan.ts';
import { Lru, sourceTagOf } from '#delivery/viewing';
import { SegmentCounter } from './segment-counts.ts';
import { keepMsOf, stallMsOf } from './segment-times.ts';
import type { SegmentOpener } from './segment-opener.ts';
import { ENTRY_TRACK } from '#delivery/hls/playlists';

export type StreamSegmentsOptions = {
  readonly hls: HlsStream;
  readonly store: SegmentStore;
  readonly opener: SegmentOpener;
  readonly allowance: ConnectionAllowance;
  /** Segments fetched ahead of each viewer; 0: none. */
  readonly aheadCount: number;
  readonly maxStallMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
};

/** A viewer's wish, its target being where the stream is now. */
export type Demand = { readonly target: Target; readonly range?: ByteRange | undefined };

type Named = Pick<Target, 'url' | 'source'>;

/** Players hold links of sources that have been left, and those go on meaning their media. */
const REMEMBERED_SOURCES = 8;
const MIN_IDLE_MS = 5_000;
/** What is fetched ahead takes this much of the memory at most. */
const AHEAD_SHARE = 1 / 4;
const OVERLOADED = new Set([429, 503]);

/** The segments of one stream: how they are named, kept, counted and fetched ahead. */
export class StreamSegments implements AheadStream {
  readonly counter = new SegmentCounter();
  readonly ahead: LookAhead;
  readonly #options: StreamSegmentsOptions;
  readonly #sources = new Lru<string, Source>(REMEMBERED_SOURCES);
  #lastBytes = 0;

  constructor(options: StreamSegmentsOptions) {
    const { hls, clock, timers } = options;
    this.#options = options;
    this.ahead = new LookAhead({ stream: this, clock, timers });
    hls.lists.onShown((source) => this.ahead.listed(source));
    hls.overlaps.askOf((source, { url, range }) => this.isKept({ url, source }, range));
  }

  /** Nothing more is fetched ahead. A stream that was removed leaves nothing behind. Idempotent. */
  close(): void {
    const { hls, store } = this.#options;
    this.ahead.close();
    const { id, removed } = hls.stream;
    if (removed.aborted) store.forget((resource) => resource.startsWith(`${id} `));
  }

  get idleMs(): number {
    return Math.max(MIN_IDLE_MS, 2 * this.#options.hls.targetDurationMs);
  }

  get count(): number {
    const { aheadCount, store } = this.#options;
    if (this.#lastBytes === 0) return aheadCount;
    const roomBytes = store.snapshot.memoryLimitBytes * AHEAD_SHARE;
    return Math.min(aheadCount, Math.floor(roomBytes / this.#lastBytes));
  }

  permit(): Promise<SparePlace | undefined> {
    const { hls, allowance } = this.#options;
    return allowance.ahead({ headers: hls.source.headers, use: 'ahead' });
  }

  place(source: string, resource: ListedResource): ListPlace | undefined {
    return this.#options.hls.lists.find(source, resource);
  }

  has({ url, range }: ListedResource): boolean {
    return this.isKept({ url, source: sourceTagOf(this.#options.hls.source) }, range);
  }

  /** Whether its source, in use or left, would not have to be asked. */
  isKept(target: Named, range?: ListedResource['range']): boolean {
    return this.#options.store.has({
      resource: this.#nameOf(target),
      range: range && { kind: 'from', ...range },
    });
  }

  /** The source that listed it, as long as that is remembered; else the one in use. */
  sourceOf({ source: tag }: Named): Source {
    const { source } = this.#options.hls;
    this.#sources.set(sourceTagOf(source), source);
    return this.#sources.get(tag) ?? source;
  }

  /** What is in memory, at once. */
  peek({ target, range }: Demand): OpenedSegment | undefined {
    return this.#options.store.peek({ resource: this.#nameOf(target), range });
  }

  /** As {@link SegmentStore.open}, for a viewer: before anything is fetched ahead. */
  async open(demand: Demand, viewer: string, signal: AbortSignal): Promise<OpenedSegment> {
    this.#follow(demand, viewer);
    const done = this.ahead.waits();
    try {
      const opened = await this.#options.store.open(this.#askFor(demand), signal);
      if (demand.target.kind === 'segment') this.#measure(demand.target, lengthOf(opened));
      void whenOver(opened, signal).finally(done);
      return opened;
    } catch (error) {
      done();
      throw error;
    }
  }

  #measure({ source, url }: Target, bytes: number): void {
    this.#lastBytes = bytes;
    const place = this.place(source, { url });
    const { durationMs = 0, range } = place?.segments[place.index] ?? {};
    if (place?.track !== ENTRY_TRACK || range || durationMs === 0 || bytes === 0) return;
    this.#options.hls.measured((bytes * 8 * 1000) / durationMs);
  }

  /** A viewer has been given what was in memory. */
  passed(demand: Demand, viewer: string): void {
    this.#follow(demand, viewer);
    this.ahead.go();
  }

  isFilm({ source, url, place }: Target): boolean {
    return place !== undefined || this.place(source, { url })?.isEnded === true;
  }

  async fetch(
    item: AheadItem,
    permit: ConnectionPermit,
    signal: AbortSignal,
  ): Promise<AheadOutcome> {
    const { hls, store } = this.#options;
    const { kind, resource } = item;
    const target: Target = { kind, url: resource.url, source: sourceTagOf(hls.source) };
    const range = resource.range && ({ kind: 'from', ...resource.range } as const);
    const place = new TakenPlace(permit);
    const ask = { ...this.#askFor({ target, range }, place), isAhead: true };
    try {
      const opened = await store.open(ask, signal);
      try {
        const outcome = await outcomeOf(opened, signal);
        // What viewers are given from memory later says nothing any more.
        if (outcome === 'fetched') hls.segmentSucceeded(target);
        return outcome;
      } finally {
        opened.close();
      }
    } catch {
      return signal.aborted ? 'useless' : 'busy';
    } finally {
      place.releaseUnused();
    }
  }

  #follow({ target, range }: Demand, viewer: string): void {
    if (target.kind !== 'segment') return;
    const exact = range?.kind === 'from' && range.last !== undefined;
    const listed = exact ? { first: range.first, last: range.last } : undefined;
    const resource = { url: target.url, ...(listed ? { range: listed } : {}) };
    const isListed = this.place(target.source, resource) !== undefined;
    this.ahead.demanded(viewer, target.source, isListed ? resource : { url: target.url });
  }

  #askFor({ target, range }: Demand, taken?: TakenPlace): SegmentAsk {
    const { hls, opener, maxStallMs } = this.#options;
    const source = hls.sourceAt(this.sourceOf(target), target.url);
    const listed = this.place(target.source, { url: target.url });
    const open: OpenResource = (part, signal) =>
      opener.open(source, { target, range: part, place: taken }, signal);
    return {
      resource: this.#nameOf(target),
      range: target.kind === 'key' ? undefined : range,
      keepMs: keepMsOf(target, listed, hls.targetDurationMs),
      stallMs: stallMsOf(hls.targetDurationMs, maxStallMs),
      open,
    };
  }

  #nameOf(target: Named): string {
    const { stream } = this.#options.hls;
    return `${stream.id} ${nameOfSource(this.sourceOf(target))} ${target.url}`;
  }
}

/** Never rejects: a viewer that left waits no longer either. */
const whenOver = (opened: OpenedSegment, signal: AbortSignal): Promise<unknown> =>
  opened.over(signal).catch(() => {});

async function outcomeOf(opened: OpenedSegment, signal: AbortSignal): Promise<AheadOutcome> {
  const { status } = opened.head;
  if (status >= 300) return OVERLOADED.has(status) || status >= 500 ? 'busy' : 'useless';
  if (!opened.isKept) return 'useless';
  const failure = await opened.over(signal);
  return failure ? 'busy' : 'fetched';
}

const lengthOf = ({ head: { span } }: OpenedSegment): number =>
  span?.last === undefined ? 0 : span.last - span.first + 1;

const names = new WeakMap<Source, string>();

/** Another URL or other headers may lead to other bytes. */
function nameOfSource(source: Source): string {
  const known = names.get(source);
  if (known !== undefined) return known;
  const headers = createHash('sha256').update(JSON.stringify(source.headers)).digest('base64url');
  const name = `${sourceTagOf(source)} ${headers.slice(0, 8)}`;
  names.set(source, name);
  return name;
}
