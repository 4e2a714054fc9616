import type { Writable } from 'node:stream';
import type { AppError } from '#kernel/app-error';
import type { MediaSource } from '#networks';
import type { UpstreamResponse } from '#upstream';

/** Media that comes as it comes: it goes to FFmpeg's standard input, as fast as FFmpeg takes it. */
export class PipeSource implements MediaSource {
  readonly kind = 'pipe';
  readonly #response: UpstreamResponse;
  #failure: AppError | undefined;

  constructor(response: UpstreamResponse) {
    this.#response = response;
  }

  get failure(): AppError | undefined {
    return this.#failure;
  }

  feed(input: Writable): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const over = (): void => {
      input.end();
      resolve();
    };
    input.once('close', () => {
      this.close();
      resolve();
    });
    this.#response.read({
      // The memory is lent, and a stream may keep what it was given: it gets its own.
      chunk: (bytes) => {
        input.write(Buffer.from(bytes), () => this.#response.resume());
        return false;
      },
      end: over,
      fail: (error) => {
        this.#failure = error;
        over();
      },
    });
    return promise;
  }

  close(): void {
    this.#response.close();
  }
}
