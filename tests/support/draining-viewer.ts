import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export type DrainingOptions = {
  /** As fast as it comes when absent. */
  readonly bytesPerSecond?: number;
  /** Then it leaves. */
  readonly mostBytes: number;
};

/** A player that keeps nothing of what it gets: for bodies that would not fit. */
export class DrainingViewer {
  readonly #url: string;
  readonly #options: DrainingOptions;

  constructor(url: string, options: DrainingOptions) {
    this.#url = url;
    this.#options = options;
  }

  /** @returns how many bytes came, at most those that it wants. */
  async read(): Promise<number> {
    const { bytesPerSecond = 0, mostBytes } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const asked = request(this.#url, { agent: false }, (response) => {
      void (async () => {
        let bytes = 0;
        for await (const part of response as AsyncIterable<Buffer>) {
          bytes += part.length;
          if (bytes >= mostBytes) break;
          if (bytesPerSecond > 0) await delay((part.length * 1000) / bytesPerSecond);
        }
        resolve(Math.min(bytes, mostBytes));
      })().catch(reject);
    });
    asked.on('error', reject).end();
    return promise.finally(() => asked.destroy());
  }
}
