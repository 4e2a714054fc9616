import type { Source, Stream } from '#streams';
import type { Handover } from './handover.ts';
import { isLiveSource, noSuchTrack } from './playlist-finder.ts';
import type { FoundPlaylist, PlaylistAsk, PlaylistFinder } from './playlist-finder.ts';
import { isEssential, trackKeyOf, trackOf } from './track-key.ts';

export type HandoverFinderOptions = {
  readonly stream: Stream;
  readonly finder: PlaylistFinder;
  readonly handover: Handover;
};

const NO_VARIABLES: FoundPlaylist['imported'] = new Map();

/** Finds what answers an ask: a playlist of the source, or what is cut here in its place. */
export class HandoverFinder {
  readonly #options: HandoverFinderOptions;

  constructor(options: HandoverFinderOptions) {
    this.#options = options;
  }

  /** As {@link PlaylistFinder.find}. */
  async find(
    source: Source,
    question: { readonly ask: PlaylistAsk; readonly directives: string },
    signal: AbortSignal,
  ): Promise<FoundPlaylist> {
    const { finder, handover, stream } = this.#options;
    const { ask } = question;
    // One connection at a time: who asks while a source is tried waits for what comes of it.
    if (handover.takes(ask, source)) return this.#handedOver(source, ask, signal);
    try {
      const found = await finder.find(source, question, signal);
      return found.isSilent ? await this.#withSound(source, found, signal) : found;
    } catch (error) {
      if (!isLiveSource(error) || !handover.isPossible || stream.kind !== 'hls') throw error;
      return this.#handedOver(source, ask, signal);
    }
  }

  async #handedOver(source: Source, ask: PlaylistAsk, signal: AbortSignal): Promise<FoundPlaylist> {
    assertInside(ask);
    const { handover } = this.#options;
    const scope = handover.takes(ask, source) ? 'inside' : 'all';
    return { playlist: await handover.begin(source, scope, signal), imported: NO_VARIABLES };
  }

  /** Sound that comes apart is put to the pictures by the relay; where it cannot be, they are silent. */
  async #withSound(
    source: Source,
    silent: FoundPlaylist,
    signal: AbortSignal,
  ): Promise<FoundPlaylist> {
    try {
      const playlist = await this.#options.handover.begin(source, 'inside', signal);
      return { playlist, imported: NO_VARIABLES };
    } catch {
      signal.throwIfAborted();
      return silent;
    }
  }
}

/** @throws UpstreamError for a track that pictures and sound in one cannot stand in for. */
function assertInside(ask: PlaylistAsk): void {
  const track = trackOf(ask);
  if (track && !isEssential(trackKeyOf(ask))) throw noSuchTrack(track);
}
