import { orAbort } from '#kernel/or-abort';
import type { AheadPermit, FetchAllowance, FetchPermit } from '#upstream';

/** A provider that takes so many requests at once, whoever they are for. */
export class LimitedFetches implements FetchAllowance {
  readonly #limit: number;
  readonly #ahead = new Set<AbortController>();
  readonly #waiting: (() => void)[] = [];
  #open = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  async demand(_url: string, signal: AbortSignal): Promise<FetchPermit> {
    while (this.#open >= this.#limit) {
      for (const revoke of this.#ahead) revoke.abort();
      await orAbort(new Promise<void>((resolve) => this.#waiting.push(resolve)), signal);
    }
    return this.#take(() => {});
  }

  ahead(): AheadPermit | undefined {
    if (this.#open >= this.#limit || this.#waiting.length > 0) return undefined;
    const revoke = new AbortController();
    this.#ahead.add(revoke);
    return { revoked: revoke.signal, ...this.#take(() => this.#ahead.delete(revoke)) };
  }

  #take(released: () => void): FetchPermit {
    this.#open += 1;
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      this.#open -= 1;
      released();
      for (const call of this.#waiting.splice(0)) call();
    };
    return { release };
  }
}
