import type { PackedFormat, RemuxRun, Remuxer } from '#conversion';
import type { BodySink, UpstreamResponse } from '#upstream';

export type RemuxedInput = {
  readonly response: UpstreamResponse;
  readonly format: PackedFormat;
};

/** A film's file, or one of pictures and one of sound, as a transport stream. */
export class RemuxedResponse implements UpstreamResponse {
  readonly status = 200;
  readonly finalUrl = '';
  readonly headers: ReadonlyMap<string, string> = new Map([['content-type', 'video/mp2t']]);
  readonly hasEnd = true;
  readonly #inputs: readonly RemuxedInput[];
  readonly #remuxer: Remuxer;
  #run: RemuxRun | undefined;

  constructor(inputs: readonly RemuxedInput[], remuxer: Remuxer) {
    this.#inputs = inputs;
    this.#remuxer = remuxer;
  }

  read(sink: BodySink): void {
    const run = this.#remuxer.start(
      this.#inputs.map(({ format }) => ({ format })),
      sink,
    );
    this.#run = run;
    for (const [index, { response }] of this.#inputs.entries()) {
      response.read({
        chunk: (bytes) => {
          void run.write(index, bytes).then(() => response.resume());
          return false;
        },
        end: () => run.end(index),
        fail: (error) => {
          this.close();
          sink.fail(error);
        },
      });
    }
  }

  resume(): void {
    this.#run?.resume();
  }

  close(): void {
    this.#run?.close();
    for (const { response } of this.#inputs) response.close();
  }
}
