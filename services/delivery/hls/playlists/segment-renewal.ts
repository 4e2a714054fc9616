import { readMediaList, rewritePlaylist, segmentNameIn } from '#hls';
import type { MediaSegment, Reference, RewriteOptions, Target } from '#hls';
import type { Clock } from '#kernel/clock';
import type { Source } from '#streams';
import type { ListedPlace, ListedSegments } from './listed-segments.ts';
import { Lru } from '#delivery/viewing';
import type { PlaylistFinder } from './playlist-finder.ts';

export type SegmentRenewalOptions = {
  readonly finder: PlaylistFinder;
  readonly listed: ListedSegments;
  readonly clock: Clock;
};

/** Links that players have of segments whose URL has been replaced. */
const MAX_RENEWED = 512;
/** What is refused again so soon is not refused for its age. */
const ONCE_PER_MS = 5_000;
const DEADLINE_MS = 10_000;

/**
 * New URLs for segments that a source has stopped serving under the old ones: tokens in URLs grow
 * old while players hold a playlist that names them. The source's own address is asked once, and
 * the segment of the same number, or the part of the same name, takes the place of the one that is
 * refused.
 */
export class SegmentRenewal {
  readonly #options: SegmentRenewalOptions;
  readonly #urls = new Lru<string, string>(MAX_RENEWED);
  readonly #running = new Map<string, Promise<boolean>>();
  readonly #begunAtMs = new Map<string, number>();

  constructor(options: SegmentRenewalOptions) {
    this.#options = options;
  }

  /** Where the target is now. */
  at(target: Target): Target {
    const url = this.#urls.get(target.url);
    return url === undefined ? target : { ...target, url };
  }

  /**
   * Looks for the refused segment of the source in use.
   * @returns whether it is elsewhere now; never rejects. False without asking where the source was
   *   asked a moment ago, and for what no playlist lists.
   */
  async renew(source: Source, { url }: Target): Promise<boolean> {
    const place = this.#options.listed.placeOf(url);
    if (!place) return false;
    const running = this.#running.get(place.trackKey) ?? this.#begin(source, place);
    return (await running) && this.#urls.get(url) !== undefined;
  }

  async #begin(source: Source, place: ListedPlace): Promise<boolean> {
    const { trackKey } = place;
    const nowMs = this.#options.clock.monotonicMs();
    const begunAtMs = this.#begunAtMs.get(trackKey);
    if (begunAtMs !== undefined && nowMs - begunAtMs < ONCE_PER_MS) return false;
    this.#begunAtMs.set(trackKey, nowMs);
    const asking = this.#ask(source, place);
    this.#running.set(trackKey, asking);
    try {
      return await asking;
    } finally {
      this.#running.delete(trackKey);
    }
  }

  async #ask(source: Source, { trackKey, ask }: ListedPlace): Promise<boolean> {
    try {
      const deadline = AbortSignal.timeout(DEADLINE_MS);
      const { playlist, imported } = await this.#options.finder.afresh(source, ask, deadline);
      const { text, encoding, finalUrl } = playlist;
      const options = { baseUrl: finalUrl, encoding, imported };
      const { segments } = readMediaList(text, options);
      const renewed = [
        ...this.#byNumber(trackKey, segments),
        ...this.#byName(trackKey, partsIn(text, options)),
      ].filter(([old, url]) => old !== url);
      for (const [old, url] of renewed) this.#urls.set(old, url);
      return renewed.length > 0;
    } catch {
      // The source is in trouble; what asked for this is told of its own failure.
      return false;
    }
  }

  *#byNumber(trackKey: string, segments: readonly MediaSegment[]): Generator<Renewed> {
    for (const { sequence, url } of segments) {
      const old = this.#options.listed.urlAt(trackKey, sequence);
      if (old !== undefined) yield [old, url];
    }
  }

  *#byName(trackKey: string, parts: ReadonlyMap<string, string>): Generator<Renewed> {
    for (const old of this.#options.listed.partsOf(trackKey)) {
      const url = parts.get(segmentNameIn(old));
      if (url !== undefined) yield [old, url];
    }
  }
}

type Renewed = readonly [old: string, url: string];

/** Every part that a playlist lists, by what it is called. */
function partsIn(text: string, options: Omit<RewriteOptions, 'toLocal'>): Map<string, string> {
  const parts = new Map<string, string>();
  const toLocal = ({ as, url, written }: Reference): string => {
    if (as === 'part') parts.set(segmentNameIn(url), url);
    return written;
  };
  rewritePlaylist(text, { ...options, toLocal });
  return parts;
}
