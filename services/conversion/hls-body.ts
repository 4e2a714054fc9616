import { toAppError } from '#kernel/app-error';
import type { BodySink, UpstreamResponse } from '#upstream';
import type { HlsTrack } from './hls-track.ts';
import { Intake } from './intake.ts';
import { STALE_TARGETS } from './playlist-follower.ts';
import type { Remuxer } from './ports.ts';

export type HlsBodyOptions = {
  /** The pictures, or all there is; and the sound where that comes apart. */
  readonly tracks: readonly HlsTrack[];
  readonly remuxer: Remuxer;
  readonly finalUrl: string;
};

/** Beyond what makes a playlist stale, so that the playlist is judged first. */
const BURST_SLACK_MS = 1_000;

/** An HLS source as the transport stream that it carries. */
export class HlsBody implements UpstreamResponse {
  readonly status = 200;
  readonly headers: ReadonlyMap<string, string> = new Map([['content-type', 'video/mp2t']]);
  readonly #options: HlsBodyOptions;
  readonly #closing = new AbortController();
  #intake: Intake | undefined;

  constructor(options: HlsBodyOptions) {
    this.#options = options;
  }

  get finalUrl(): string {
    return this.#options.finalUrl;
  }

  /** Segments come in bursts; a silence between them is their nature. */
  get burstMs(): number {
    const targets = this.#options.tracks.map(({ follower }) =>
      Math.max(follower.staleMs, STALE_TARGETS * follower.targetDurationMs),
    );
    return Math.max(...targets) + BURST_SLACK_MS;
  }

  /** A film is over when it has been played. */
  get hasEnd(): boolean {
    return this.#options.tracks.every(({ follower }) => follower.isFilm);
  }

  read(sink: BodySink): void {
    void this.#run(sink);
  }

  resume(): void {
    this.#intake?.resume();
  }

  close(): void {
    this.#closing.abort();
    this.#intake?.close();
  }

  async #run(sink: BodySink): Promise<void> {
    const { signal } = this.#closing;
    try {
      await this.#play(sink);
      if (!signal.aborted) sink.end();
    } catch (error) {
      const isOurs = signal.aborted;
      this.close();
      if (!isOurs) sink.fail(toAppError(error));
    }
  }

  async #play(sink: BodySink): Promise<void> {
    const { signal } = this.#closing;
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      if (!isFirst) sink.restart?.();
      const ends = await this.#timeline(sink);
      if (ends.includes('over')) return;
    }
  }

  /** Until every track begins anew. */
  async #timeline(sink: BodySink): Promise<readonly ('anew' | 'over')[]> {
    const { tracks, remuxer } = this.#options;
    const { signal } = this.#closing;
    const intake = new Intake({ tracks: tracks.length, sink, remuxer });
    this.#intake = intake;
    const playing = tracks.map(async (track, index) => {
      const end = await track.play((bytes) => intake.write(index, bytes), signal);
      intake.end(index);
      return end;
    });
    try {
      const ends = await Promise.all(playing);
      await intake.finished();
      return ends;
    } finally {
      intake.close();
    }
  }
}
