import type { Readable } from 'node:stream';
import type { AppError } from '#kernel/app-error';
import type { BodySink, UpstreamResponse } from '#upstream';

export type RunOutputOptions = {
  readonly contentType: string;
  readonly body: Readable;
  /** The body is over: undefined when the run has done all there was to do. */
  readonly howItEnded: () => Promise<AppError | undefined>;
  readonly closed: () => void;
  /** It is a film from the beginning; otherwise it is one when it has ended as a film does. */
  readonly isFilm?: boolean;
};

/** What a worker pushes, as the answer of a source. */
export class RunOutput implements UpstreamResponse {
  readonly status = 200;
  readonly finalUrl = '';
  readonly headers: ReadonlyMap<string, string>;
  readonly #options: RunOutputOptions;
  #sink: BodySink | undefined;
  #hasPlayed = false;

  constructor(options: RunOutputOptions) {
    this.#options = options;
    this.headers = new Map([['content-type', options.contentType]]);
  }

  get hasEnd(): boolean {
    return this.#hasPlayed || this.#options.isFilm === true;
  }

  read(sink: BodySink): void {
    const { body } = this.#options;
    this.#sink = sink;
    body.on('data', (bytes: Buffer) => {
      if (this.#sink?.chunk(bytes) === false) body.pause();
    });
    body.once('close', () => void this.#end());
    if (body.destroyed) void this.#end();
    else body.resume();
  }

  resume(): void {
    this.#options.body.resume();
  }

  close(): void {
    this.#sink = undefined;
    this.#options.closed();
  }

  async #end(): Promise<void> {
    const failure = await this.#options.howItEnded();
    const sink = this.#sink;
    this.#sink = undefined;
    this.#hasPlayed = failure === undefined;
    if (failure === undefined) sink?.end();
    else sink?.fail(failure);
  }
}
