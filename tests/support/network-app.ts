import type { ApiAnswer } from './api-client.ts';
import type { Product } from './product.ts';
import { eventually } from './processes.ts';
import { answer, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import type { FakeProvider } from '../../scripts/faultd.d/fake-provider.ts';

export type ToldCallback = {
  readonly network_id: string;
  readonly event: string;
  readonly timestamp: string;
  readonly dvr_mode: boolean;
  readonly hls_dir: string | null;
  readonly data: Readonly<Record<string, unknown>>;
};

/** An app as m3u-editor is one: it starts programmes and is told how they end. */
export class NetworkApp implements AsyncDisposable {
  readonly provider: FakeProvider;
  readonly told: ToldCallback[] = [];
  /** What is done before a callback is answered. */
  handle: (callback: ToldCallback) => Promise<unknown> = async () => {};
  readonly #product: Product;

  static async open(product: Product): Promise<NetworkApp> {
    const app = new NetworkApp(product, await startFakeProvider({}));
    app.provider.setRoute(
      '/callback',
      answer(async ({ body }) => {
        const callback = JSON.parse(body) as ToldCallback;
        app.told.push(callback);
        await app.handle(callback);
        return { status: 200, body: '{"status":"ok"}' };
      }),
    );
    return app;
  }

  private constructor(product: Product, provider: FakeProvider) {
    this.#product = product;
    this.provider = provider;
  }

  /** The same at another api process; what it is told, this one hears. */
  at(product: Product): NetworkApp {
    return new NetworkApp(product, this.provider);
  }

  get callbackUrl(): string {
    return this.provider.url('/callback');
  }

  /** Short segments, and a callback; whatever else `body` says. */
  start(id: string, body: Readonly<Record<string, unknown>>): Promise<ApiAnswer> {
    return this.#product.api.post(`/broadcast/${id}/start`, {
      segment_duration: 1,
      callback_url: this.callbackUrl,
      ...body,
    });
  }

  stop(id: string): Promise<ApiAnswer> {
    return this.#product.api.post(`/broadcast/${id}/stop`, []);
  }

  async status(id: string): Promise<ApiAnswer['body']> {
    return (await this.#product.api.get(`/broadcast/${id}/status`)).body;
  }

  async playlist(id: string, name = 'live.m3u8'): Promise<string> {
    const { body } = await this.#product.api.get(`/broadcast/${id}/segment/${name}`);
    return typeof body['text'] === 'string' ? body['text'] : '';
  }

  /** What the playlist lists: numbers, with a `D` before those that are marked. */
  async listed(id: string): Promise<readonly string[]> {
    const lines = (await this.playlist(id)).split('\n');
    let mark = '';
    const found: string[] = [];
    for (const line of lines) {
      const digits = /^live(\d+)\.ts$/.exec(line)?.[1];
      if (line === '#EXT-X-DISCONTINUITY') mark = 'D';
      if (digits === undefined) continue;
      found.push(`${mark}${Number(digits)}`);
      mark = '';
    }
    return found;
  }

  async until(what: string, holds: () => boolean | Promise<boolean>, ms = 15_000): Promise<void> {
    await eventually(what, holds, ms);
  }

  async untilListed(id: string, segments: number): Promise<readonly string[]> {
    await this.until(`${id} lists ${segments} segments`, async () => {
      return (await this.listed(id)).length >= segments;
    });
    return this.listed(id);
  }

  of(id: string): readonly ToldCallback[] {
    return this.told.filter(({ network_id }) => network_id === id);
  }

  async untilTold(id: string, count = 1): Promise<readonly ToldCallback[]> {
    await this.until(`${count} callbacks of ${id}`, () => this.of(id).length >= count);
    return this.of(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.provider[Symbol.asyncDispose]();
  }
}
