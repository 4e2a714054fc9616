import type { MediaInit } from '#fmp4';
import { FragmentCutter } from './fragment-cutter.ts';
import type { CutFragments } from './fragment-cutter.ts';
import { listsOf, splitInit, splitSegment } from './fragment-lists.ts';
import type { FragmentList } from './fragment-lists.ts';
import { LiveList, mostBytesOfOne } from './live-list.ts';
import type { PackagerOptions } from './live-list.ts';
import { multivariantPlaylist } from './multivariant-playlist.ts';
import type { PackagedPart, Packaging, PartUrl } from './packaging.ts';
import { RateMeter } from './rate-meter.ts';

export type FragmentPackagerOptions = PackagerOptions & {
  /** The most that each picture track should take, in bits per second, in their order. */
  readonly plannedBps?: readonly number[] | undefined;
};

/** An initialization segment, for each list; called by the number of the first that needs it. */
type KeptInit = { readonly serial: number; readonly parts: ReadonlyMap<string, Buffer> };

type Segment = Omit<CutFragments, 'fragments'> & {
  readonly parts: ReadonlyMap<string, Buffer>;
  readonly bytes: { readonly length: number };
  readonly kept: KeptInit;
};

/**
 * Makes an HLS stream of fragmented MP4. One picture track goes out as one list; several, which are
 * a ladder, as lists of their own, cut at the same places, under one multivariant playlist.
 */
export class FragmentPackager implements Packaging {
  readonly #options: FragmentPackagerOptions;
  readonly #cutter: FragmentCutter;
  readonly #list: LiveList<Segment>;
  readonly #rates = new Map<string, RateMeter>();
  #init: MediaInit | undefined;
  #kept: KeptInit | undefined;
  #framesPerSecond = 0;

  constructor(options: FragmentPackagerOptions) {
    const { targetMs, mostBytes, clock } = options;
    this.#options = options;
    this.#list = new LiveList(options);
    this.#cutter = new FragmentCutter({
      targetMs,
      mostBytes: mostBytesOfOne(mostBytes),
      clock,
      cut: (segment) => this.#add(segment),
    });
  }

  get ready(): Promise<void> {
    return this.#list.ready;
  }
  get targetDurationMs(): number {
    return this.#list.targetDurationMs;
  }
  get lastDiscontinuity(): number {
    return this.#list.lastDiscontinuity;
  }

  write(bytes: Buffer): void {
    this.#cutter.push(bytes);
  }

  text(urlOf: PartUrl, list?: string): string | undefined {
    const lists = this.#lists();
    if (list === undefined && lists.length > 1) return this.#multivariant(urlOf);
    const asked = list === undefined ? lists[0] : lists.find(({ name }) => name === list);
    return this.#media(urlOf, asked);
  }

  part(name: string): PackagedPart | undefined {
    const [list = '', kind, number] = /^([a-z]\w*)\.([si])(\d+)$/.exec(name)?.slice(1) ?? [];
    const contentType = list.startsWith('a') && list !== 'all' ? 'audio/mp4' : 'video/mp4';
    const of = (found: ReadonlyMap<string, Buffer> | undefined): PackagedPart | undefined => {
      const bytes = found?.get(list);
      return bytes && { bytes, contentType };
    };
    if (kind === 's') return of(this.#list.find(Number(number))?.parts);
    return of(this.#list.kept.find(({ kept }) => kept.serial === Number(number))?.kept.parts);
  }

  #lists(): readonly FragmentList[] {
    return this.#init === undefined ? [] : listsOf(this.#init);
  }

  #media(urlOf: PartUrl, list: FragmentList | undefined): string | undefined {
    if (list === undefined) return undefined;
    const { name } = list;
    const serials = new Map(this.#list.listed.map(({ sequence, kept }) => [sequence, kept.serial]));
    return this.#list.playlist({
      urlOf: (sequence) => urlOf({ name: `${name}.s${sequence}`, file: 'segment.m4s' }),
      mapOf: (sequence) =>
        urlOf({ name: `${name}.i${serials.get(sequence) ?? 0}`, file: 'segment.mp4' }),
    });
  }

  #multivariant(urlOf: PartUrl): string {
    const { plannedBps = [] } = this.#options;
    let pictures = 0;
    const variants = this.#lists().flatMap(({ name, track }) => {
      if (track === undefined) return [];
      const rate = this.#rates.get(name);
      const plannedOf = track.kind === 'video' ? (plannedBps[pictures++] ?? 0) : 0;
      return [
        {
          track,
          peakBps: Math.max(plannedOf, rate?.peakBps ?? 0),
          averageBps: rate?.averageBps ?? plannedOf,
          framesPerSecond: this.#framesPerSecond,
          url: urlOf({ name, file: 'playlist.m3u8' }),
        },
      ];
    });
    return multivariantPlaylist(variants);
  }

  #add({ fragments, ...segment }: CutFragments): void {
    if (segment.init !== this.#init) {
      this.#init = segment.init;
      this.#kept = { serial: this.#list.nextSequence, parts: splitInit(segment.init) };
    }
    const kept = this.#kept;
    if (kept === undefined) return;
    this.#framesPerSecond = framesPerSecondOf(fragments) || this.#framesPerSecond;
    const parts = splitSegment({ fragments, ...segment });
    let length = 0;
    for (const [name, bytes] of parts) {
      length += bytes.length;
      this.#rateOf(name).see(bytes.length, segment.durationMs);
    }
    this.#list.add({ ...segment, parts, bytes: { length }, kept }, this.#cutter.gopMs);
  }

  #rateOf(list: string): RateMeter {
    const known = this.#rates.get(list) ?? new RateMeter();
    this.#rates.set(list, known);
    return known;
  }
}

function framesPerSecondOf(fragments: CutFragments['fragments']): number {
  const parts = fragments.flatMap((fragment) =>
    fragment.parts.filter(({ track }) => track.kind === 'video').slice(0, 1),
  );
  const durationMs = parts.reduce((sum, part) => sum + part.durationMs, 0);
  const samples = parts.reduce((sum, part) => sum + part.samples, 0);
  return durationMs === 0 ? 0 : (samples * 1000) / durationMs;
}
