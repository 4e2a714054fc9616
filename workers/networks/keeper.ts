import { taken } from '#networks';
import type { NetworkId } from '#networks';
import type { KeeperOptions } from './ports.ts';
import { Tenure } from './tenure.ts';

/** Runs networks: each until it is at rest, stopped, or another worker's. */
export class NetworkKeeper {
  readonly #options: KeeperOptions;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async keep(id: NetworkId, draining: AbortSignal): Promise<void> {
    const { store, logger } = this.#options;
    try {
      const network = await store.change(id, taken);
      if (network === undefined) return; // Another has it, or nobody wants it any more.
      logger.info('network taken', { networkId: id, epoch: network.epoch });
      await new Tenure(this.#options, network, draining).run();
    } catch (error) {
      logger.warn('network not taken', { networkId: id, error });
    }
  }
}
