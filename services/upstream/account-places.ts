import { UpstreamError } from '#kernel/app-error';

/** A place of one account in this process. */
export type Place = {
  /** Aborts when a viewer needs it. Never, for a viewer's own. */
  readonly wanted: AbortSignal;
  /** Idempotent. */
  free(): void;
};

type Waiter = { readonly maxOpen: number; readonly grant: () => void };

/** Longer queues are no use to whoever stands at their end. */
const MAX_WAITING = 1_000;

const never = new AbortController().signal;

/** Who has a request open at one account, and who waits, in this process: first come, first served. */
export class AccountPlaces {
  readonly #ahead = new Set<AbortController>();
  readonly #waiting: Waiter[] = [];
  #open = 0;

  /** Nobody has a place, and nobody waits for one. */
  get isIdle(): boolean {
    return this.#open === 0 && this.#waiting.length === 0;
  }

  /**
   * @throws UpstreamError `PROVIDER_AT_CAPACITY` when too many wait already; the signal's reason.
   */
  async demand(maxOpen: number, signal: AbortSignal): Promise<Place> {
    signal.throwIfAborted();
    if (this.#waiting.length > 0 || this.#open >= maxOpen) await this.#turn(maxOpen, signal);
    else this.#open += 1;
    return this.#place(never, () => {});
  }

  /** A place that nobody waits for. */
  spare(maxOpen: number): Place | undefined {
    if (this.#waiting.length > 0 || this.#open >= maxOpen) return undefined;
    this.#open += 1;
    const wanted = new AbortController();
    this.#ahead.add(wanted);
    return this.#place(wanted.signal, () => this.#ahead.delete(wanted));
  }

  /** Resolves with a place taken. */
  #turn(maxOpen: number, signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= MAX_WAITING) return Promise.reject(atCapacity());
    for (const wanted of this.#ahead) wanted.abort();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason);
      };
      const grant = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const waiter: Waiter = { maxOpen, grant };
      this.#waiting.push(waiter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  #place(wanted: AbortSignal, freed: () => void): Place {
    let isHeld = true;
    const free = (): void => {
      if (!isHeld) return;
      isHeld = false;
      this.#open -= 1;
      freed();
      this.#serve();
    };
    return { wanted, free };
  }

  #serve(): void {
    for (;;) {
      const [next] = this.#waiting;
      if (!next || this.#open >= next.maxOpen) return;
      this.#waiting.shift();
      this.#open += 1;
      next.grant();
    }
  }
}

export const atCapacity = (): UpstreamError =>
  new UpstreamError('PROVIDER_AT_CAPACITY', {
    message: 'All connections that the provider allows are in use.',
  });
