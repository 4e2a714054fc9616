import type { BodySink, UpstreamResponse } from '#upstream';

/** A text that has been read, as the answer that it came with: for others to see what it is. */
export class HandedOnText implements UpstreamResponse {
  readonly status = 200;
  readonly headers: ReadonlyMap<string, string> = new Map([
    ['content-type', 'application/vnd.apple.mpegurl'],
  ]);
  readonly finalUrl: string;
  readonly #text: string;
  #isClosed = false;

  constructor(text: string, finalUrl: string) {
    this.#text = text;
    this.finalUrl = finalUrl;
  }

  read(sink: BodySink): void {
    sink.chunk(Buffer.from(this.#text));
    if (!this.#isClosed) sink.end();
  }

  resume(): void {}

  close(): void {
    this.#isClosed = true;
  }
}
