import { inFront, lastSegmentsOf, segmentListOf, windowOf } from '#hls';
import type { InPieces, ListedResource, SegmentList, Variables } from '#hls';
import type { Clock } from '#kernel/clock';
import type { FetchedPlaylist } from './fetch-playlist.ts';
import { Lru } from '#delivery/viewing';
import type { Join } from './live-tracks.ts';
import type { ShownList } from './track-lists.ts';

/** What is still listed of a source that has been left. */
export type Overlap = {
  readonly playlist: FetchedPlaylist;
  readonly count: number;
  readonly source: string;
  readonly imported: Variables;
};

type Left = {
  readonly joinsAt: number;
  readonly last: ShownList;
  readonly segments: SegmentList['segments'];
  /** When each of them would have left the list, monotonic milliseconds: until then it is kept. */
  readonly leavesAtMs: readonly number[];
  /** How many of the last ones were listed last: numbers must not step back. */
  listed: number;
};

/** Whether a segment can be had without its source. */
export type IsKept = (source: string, resource: ListedResource) => boolean;

const MAX_TRACKS = 64;

/**
 * The last segments of a source that has been left, which stay listed in front of those of the
 * next one for as long as they would have been (RFC 8216 §6.2.2): a player that finds nothing in a
 * playlist that it knows from the one before may give up, and one that is behind still wants them.
 * Only what is kept here is listed, as its source may be gone.
 */
export class Overlaps {
  readonly #clock: Clock;
  readonly #left = new Lru<string, Left>(MAX_TRACKS);
  #isKept: IsKept = () => false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Who knows what is kept; one only, and nothing is while there is none. */
  askOf(isKept: IsKept): void {
    this.#isKept = isKept;
  }

  /**
   * What may stand in front of a playlist that begins where sources meet.
   * @param last - What viewers were shown before it.
   */
  of(track: string, last: ShownList | undefined, join: Join): Overlap | undefined {
    const known = this.#left.get(track);
    const left = known?.joinsAt === join.at ? known : this.#leave(track, last, join);
    if (!left) return undefined;
    left.listed = Math.min(left.listed, this.#listable(left));
    const cut = lastSegmentsOf(left.last.playlist.text, left.listed);
    if (!cut) return undefined;
    const { playlist, source, imported } = left.last;
    return { playlist: { ...playlist, text: cut.text }, count: cut.count, source, imported };
  }

  #leave(track: string, last: ShownList | undefined, join: Join): Left | undefined {
    const window = last && windowOf(last.playlist.text);
    if (!window || window.firstSequence + window.segmentCount !== join.at) return undefined;
    const { text, finalUrl: baseUrl, encoding } = last.playlist;
    const { segments } = segmentListOf(text, { baseUrl, encoding, imported: last.imported });
    // Where some are not for us, nobody can tell which is which.
    if (segments.length !== window.segmentCount) return undefined;
    let leavesMs = join.lastAtMs;
    const leavesAtMs = segments.map(({ durationMs }) => (leavesMs += durationMs));
    const left = { joinsAt: join.at, last, segments, leavesAtMs, listed: segments.length };
    this.#left.set(track, left);
    return left;
  }

  /** How many of the last ones, without a hole. */
  #listable({ segments, leavesAtMs, last }: Left): number {
    const nowMs = this.#clock.monotonicMs();
    const gone = segments.findLastIndex(
      (segment, index) =>
        nowMs >= (leavesAtMs[index] ?? 0) || segment.isGap || !this.#isKept(last.source, segment),
    );
    return segments.length - gone - 1;
  }
}

/** The pieces of a playlist with those of what overlaps in front of them. */
export const withOverlap = (
  later: InPieces,
  { playlist, count }: Overlap,
  pieces: InPieces['pieces'],
) => inFront({ text: playlist.text, pieces }, count, later);
