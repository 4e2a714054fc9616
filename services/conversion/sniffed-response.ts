import { toAppError } from '#kernel/app-error';
import { isPlaylist } from '#hls';
import type { BodySink, UpstreamResponse } from '#upstream';

/** Opens the playlist that an answer turned out to be, as what it carries. */
export type OpenAsPlaylist = (signal: AbortSignal) => Promise<UpstreamResponse>;

/** An answer of which nobody knows whether it is media or a playlist of media: its bytes tell. */
export class SniffedResponse implements UpstreamResponse {
  readonly #closing = new AbortController();
  readonly #openAsPlaylist: OpenAsPlaylist;
  #response: UpstreamResponse;

  constructor(response: UpstreamResponse, openAsPlaylist: OpenAsPlaylist) {
    this.#response = response;
    this.#openAsPlaylist = openAsPlaylist;
  }

  get status(): number {
    return this.#response.status;
  }
  get headers(): ReadonlyMap<string, string> {
    return this.#response.headers;
  }
  get finalUrl(): string {
    return this.#response.finalUrl;
  }
  get burstMs(): number {
    return this.#response.burstMs ?? 0;
  }
  get hasEnd(): boolean {
    return this.#response.hasEnd ?? false;
  }

  read(sink: BodySink): void {
    let isFirst = true;
    this.#response.read({
      chunk: (bytes) => {
        if (!isFirst) return sink.chunk(bytes);
        isFirst = false;
        if (!isPlaylist(bytes.toString('utf8', 0, 16))) return sink.chunk(bytes);
        this.#response.close();
        void this.#readPlaylist(sink);
        return true;
      },
      end: () => sink.end(),
      fail: (error) => sink.fail(error),
    });
  }

  resume(): void {
    this.#response.resume();
  }

  close(): void {
    this.#closing.abort();
    this.#response.close();
  }

  async #readPlaylist(sink: BodySink): Promise<void> {
    const { signal } = this.#closing;
    try {
      const response = await this.#openAsPlaylist(signal);
      if (signal.aborted) return response.close();
      this.#response = response;
      response.read(sink);
    } catch (error) {
      if (!signal.aborted) sink.fail(toAppError(error));
    }
  }
}
