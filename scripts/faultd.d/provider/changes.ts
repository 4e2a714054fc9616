import { EventEmitter } from 'node:events';

/** What a condition has come to: it holds, it never will (an error), or it may yet. */
export type Look = true | Error | undefined;

/** Wakes those who wait for something to become true. */
export class Changes {
  readonly #emitter = new EventEmitter().setMaxListeners(0);

  /** Something may be otherwise now. */
  tell(): void {
    this.#emitter.emit('change');
  }

  /**
   * Looks now and again at every change.
   * @throws the error of `look`; `tooLate()` when neither has come by the deadline.
   */
  async until(look: () => Look, deadlineMs: number, tooLate: () => Error): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const lookAgain = (): void => {
      const seen = look();
      if (seen === true) resolve();
      else if (seen !== undefined) reject(seen);
    };
    const deadline = setTimeout(() => reject(tooLate()), deadlineMs);
    this.#emitter.on('change', lookAgain);
    lookAgain();
    try {
      await promise;
    } finally {
      clearTimeout(deadline);
      this.#emitter.off('change', lookAgain);
    }
  }
}
