import { afterAll, beforeAll } from 'vitest';
import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { media, type Media } from '../../scripts/faultd.d/media.ts';
import { startProduct, type Product, type ProductOptions } from './product.ts';
import { startWebhookSink, type WebhookSink } from './webhook-sink.ts';

/** What the tests of one file share; there once the first of them runs. */
export type Stage = {
  readonly product: Product;
  /** An endpoint that is registered for every event. */
  readonly sink: WebhookSink;
  readonly media: Media;
  /** Endless streams: 440 Hz, and inverted with 1000 Hz. */
  readonly main: LoopedTs;
  readonly other: LoopedTs;
};

const START_DEADLINE_MS = 60_000;

/** Starts Penstock before the tests of a file, and stops it after them. */
export function useProduct(options: ProductOptions = {}): Stage {
  const parts: Partial<Stage> = {};
  beforeAll(async () => {
    const made = await media();
    Object.assign(parts, {
      media: made,
      main: await LoopedTs.open(made.main, made.durationMs),
      other: await LoopedTs.open(made.other, made.durationMs),
      sink: await startWebhookSink(),
      product: await startProduct(options),
    });
    await parts.product?.api.registerWebhook({ url: parts.sink?.url, timeout: 5 });
  }, START_DEADLINE_MS);
  afterAll(async () => {
    await parts.product?.[Symbol.asyncDispose]();
    await parts.sink?.[Symbol.asyncDispose]();
  });
  return parts as Stage;
}
