import type { EndpointId } from '#kernel/ids';
import type { Timer, Timers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import type { EndpointStore } from '#webhooks';

/** Works off one endpoint's queue, from its making until it is closed. */
export interface DeliveryRunner {
  close(): Promise<void>;
}

export type WebhookWorkerOptions = {
  readonly endpoints: EndpointStore;
  /** Calls when endpoints may have changed; returns how to stop listening. */
  readonly onEndpointsChanged: (listener: () => void) => () => void;
  readonly startRunner: (id: EndpointId) => DeliveryRunner;
  readonly timers: Timers;
  readonly logger: Logger;
};

/** Changes are told; this is for those that were missed. */
const LOOK_AGAIN_MS = 5_000;

/** Keeps one runner for every registered endpoint. */
export class WebhookWorker {
  readonly #options: WebhookWorkerOptions;
  readonly #runners = new Map<EndpointId, DeliveryRunner>();
  readonly #stopListening: () => void;
  #next: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isTroubled = false;
  #closing: Promise<void> | undefined;

  /** Starts at once. */
  constructor(options: WebhookWorkerOptions) {
    this.#options = options;
    this.#stopListening = options.onEndpointsChanged(() => this.#look());
    this.#look();
  }

  /** Idempotent. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  /** One look after the other: two at once would start an endpoint's runner twice. */
  #look(): void {
    this.#next?.cancel();
    this.#looking = this.#looking.then(() => this.#reconcile());
  }

  async #reconcile(): Promise<void> {
    if (this.#closing) return;
    try {
      const ids = (await this.#options.endpoints.list()).map(({ id }) => id);
      await this.#match(new Set(ids));
      this.#isTroubled = false;
    } catch (error) {
      if (!this.#isTroubled) this.#options.logger.warn('endpoints unknown', { error });
      this.#isTroubled = true;
    }
    if (this.#closing) return;
    this.#next?.cancel();
    this.#next = this.#options.timers.after(LOOK_AGAIN_MS, () => this.#look());
  }

  async #match(wanted: ReadonlySet<EndpointId>): Promise<void> {
    if (this.#closing) return;
    for (const id of wanted) {
      if (!this.#runners.has(id)) this.#runners.set(id, this.#options.startRunner(id));
    }
    const gone = [...this.#runners].filter(([id]) => !wanted.has(id));
    for (const [id] of gone) this.#runners.delete(id);
    await Promise.all(gone.map(([, runner]) => runner.close()));
  }

  async #close(): Promise<void> {
    this.#stopListening();
    this.#next?.cancel();
    const runners = [...this.#runners.values()];
    await Promise.all([this.#looking, ...runners.map((runner) => runner.close())]);
  }
}
