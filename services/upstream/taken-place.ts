import type { ConnectionPermit } from './connection-allowance.ts';

/** A place at a provider that only the first of several requests may use. */
export class TakenPlace {
  #permit: ConnectionPermit | undefined;

  constructor(permit: ConnectionPermit) {
    this.#permit = permit;
  }

  /** From now on the taker's, who releases it. */
  take(): ConnectionPermit | undefined {
    const permit = this.#permit;
    this.#permit = undefined;
    return permit;
  }

  /** Idempotent. */
  releaseUnused(): void {
    this.take()?.release();
  }
}
