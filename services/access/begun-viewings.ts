import { createHash } from 'node:crypto';
import type { BegunStore } from './ports.ts';

/** Viewings that are remembered; the one that was asked about longest ago goes first. */
const MAX_VIEWINGS = 16_384;

/**
 * Viewings that began in time: their players ask again after the time to begin is over, maybe
 * another process. They are known by digests.
 */
export class BegunViewings {
  readonly #begun = new Set<string>();
  readonly #store: BegunStore | undefined;

  constructor(store?: BegunStore) {
    this.#store = store;
    store?.onBegun((digest) => this.#remember(digest));
  }

  /** Those that other processes have let in. @throws DependencyError `STORE_UNAVAILABLE` */
  async load(): Promise<void> {
    for (const digest of (await this.#store?.newest(MAX_VIEWINGS)) ?? []) this.#remember(digest);
  }

  has(viewing: string): boolean {
    const digest = digestOf(viewing);
    const isKnown = this.#begun.has(digest);
    if (isKnown) this.#remember(digest);
    return isKnown;
  }

  add(viewing: string): void {
    const digest = digestOf(viewing);
    const isNew = !this.#begun.has(digest);
    this.#remember(digest);
    if (isNew) this.#store?.save(digest);
  }

  #remember(digest: string): void {
    this.#begun.delete(digest);
    this.#begun.add(digest);
    const [oldest] = this.#begun;
    if (this.#begun.size > MAX_VIEWINGS && oldest !== undefined) this.#begun.delete(oldest);
  }
}

const digestOf = (viewing: string): string =>
  createHash('sha256').update(viewing).digest('base64url').slice(0, 22);
