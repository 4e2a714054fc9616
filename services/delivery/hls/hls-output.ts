import type { StreamDirectory } from '#streams';
import type { HlsDelivery } from './hls-delivery.ts';
import type { PlaylistAnswer, PlaylistQuery, SegmentQuery } from './hls-queries.ts';
import { isPackaged } from './packaged-delivery.ts';
import type { PackagedDelivery } from './packaged-delivery.ts';
import type { SegmentAnswer } from './segment-answers/segment-delivery.ts';

export type HlsOutputOptions = {
  readonly directory: StreamDirectory;
  /** For sources that are HLS. */
  readonly rewritten: Pick<HlsDelivery, 'playlist' | 'segment'>;
  /** For live transport streams; nobody makes HLS of them when absent. */
  readonly packaged?: PackagedDelivery | undefined;
};

/** HLS of any stream: its own playlists rewritten, or segments that are cut here. */
export class HlsOutput {
  readonly #options: HlsOutputOptions;

  constructor(options: HlsOutputOptions) {
    this.#options = options;
  }

  /** As {@link HlsDelivery.playlist}. */
  async playlist(
    query: PlaylistQuery,
    asked: { readonly gone: AbortSignal },
  ): Promise<PlaylistAnswer> {
    const { directory, rewritten, packaged } = this.#options;
    const stream = await directory.open(query.streamId);
    const isOurs = query.handle === undefined || isPackaged(query.handle);
    if (packaged && isOurs && (stream.kind === 'live' || packaged.isShown(stream.id))) {
      const answer = await packaged.playlist(stream, query, asked.gone);
      if (answer) return answer;
    }
    return rewritten.playlist(query, asked);
  }

  /** As {@link HlsDelivery.segment}. */
  async segment(query: SegmentQuery, gone: AbortSignal): Promise<SegmentAnswer> {
    const { directory, rewritten, packaged } = this.#options;
    if (!packaged || !isPackaged(query.handle)) return rewritten.segment(query, gone);
    const stream = await directory.open(query.streamId);
    return packaged.segment(stream, query);
  }
}
