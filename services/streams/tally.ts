import type { KindTotals, MediaKind, Totals } from './snapshots.ts';

/** What a stream is counted by. */
type Counted = { readonly kind: MediaKind; readonly viewerCount: number };

const KINDS: readonly MediaKind[] = ['live', 'hls', 'vod', 'dash'];

/** Sums over all streams of a process. They only grow: a stream that goes leaves its share. */
export class Tally {
  readonly #servedBytes: Record<MediaKind, number> = { live: 0, hls: 0, vod: 0, dash: 0 };
  #segments = 0;

  get sums(): Pick<Totals, 'bytesServed' | 'segmentsServed'> {
    const { live, hls, vod, dash } = this.#servedBytes;
    return { bytesServed: live + hls + vod + dash, segmentsServed: this.#segments };
  }

  served(kind: MediaKind, bytes: number, segments: number): void {
    this.#servedBytes[kind] += bytes;
    this.#segments += segments;
  }

  byKind(streams: Iterable<Counted>): Readonly<Record<MediaKind, KindTotals>> {
    const groups = Map.groupBy(streams, ({ kind }) => kind);
    const entries = KINDS.map((kind) => [kind, this.#totals(kind, groups.get(kind) ?? [])]);
    return Object.fromEntries(entries) as Record<MediaKind, KindTotals>;
  }

  #totals(kind: MediaKind, streams: readonly Counted[]): KindTotals {
    return {
      streams: streams.length,
      activeStreams: streams.filter(({ viewerCount }) => viewerCount > 0).length,
      viewers: streams.reduce((sum, { viewerCount }) => sum + viewerCount, 0),
      bytesServed: this.#servedBytes[kind],
    };
  }
}
