import { UpstreamError } from '#kernel/app-error';
import type { BodySink, UpstreamResponse } from '#upstream';

type Step = { readonly bytes: string } | { readonly end: true } | { readonly fail: true };

export const bytes = (text: string): Step => ({ bytes: text });
export const end: Step = { end: true };
export const fail: Step = { fail: true };

/**
 * An upstream response that says its lines when it is read, and uses one piece of memory for all
 * of them: who keeps what was lent for longer than allowed finds it overwritten.
 */
export class ScriptedResponse implements UpstreamResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly finalUrl = 'http://p.example/1.ts';
  readonly #steps: Step[];
  readonly #memory = Buffer.alloc(64);
  #sink: BodySink | undefined;
  #isPaused = false;
  isClosed = false;

  constructor(
    steps: readonly Step[],
    { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
  ) {
    this.#steps = [...steps];
    this.status = status;
    this.headers = new Map(Object.entries(headers));
  }

  read(sink: BodySink): void {
    this.#sink = sink;
    queueMicrotask(() => this.#play());
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    queueMicrotask(() => this.#play());
  }

  close(): void {
    this.isClosed = true;
  }

  #play(): void {
    while (!this.#isPaused && !this.isClosed) {
      const step = this.#steps.shift();
      if (!step) return;
      if ('bytes' in step) this.#isPaused = !this.#lend(step.bytes);
      else if ('end' in step) this.#sink?.end();
      else this.#sink?.fail(new UpstreamError('UPSTREAM_RESET', { message: 'Reset.' }));
    }
  }

  #lend(text: string): boolean {
    const length = this.#memory.write(text);
    const goesOn = this.#sink?.chunk(this.#memory.subarray(0, length)) ?? false;
    if (goesOn) this.#memory.fill('!');
    return goesOn;
  }
}
