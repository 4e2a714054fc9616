import type { SlateTrigger } from '#upstream';

export type SlateLogOptions = {
  readonly nowMs: () => number;
  /** The first reader of the stream shows its viewers a slate. */
  readonly began: (trigger: SlateTrigger) => void;
  /** No reader shows one any more. */
  readonly ended: (trigger: SlateTrigger, durationMs: number) => void;
};

type Showing = { readonly trigger: SlateTrigger; readonly sinceMs: number };

/** Which of one stream's readers show a slate: told as one, however many they are. */
export class SlateLog {
  readonly #options: SlateLogOptions;
  readonly #readers = new Set<object>();
  #showing: Showing | undefined;

  constructor(options: SlateLogOptions) {
    this.#options = options;
  }

  /** Why viewers see a slate; `null` while none does. */
  get trigger(): SlateTrigger | null {
    return this.#showing?.trigger ?? null;
  }

  shown(reader: object, trigger: SlateTrigger): void {
    this.#readers.add(reader);
    if (this.#showing !== undefined) return;
    this.#showing = { trigger, sinceMs: this.#options.nowMs() };
    this.#options.began(trigger);
  }

  /** Harmless for a reader that shows none. */
  hidden(reader: object): void {
    this.#readers.delete(reader);
    if (this.#readers.size === 0) this.end();
  }

  /** Nobody sees what the readers show. Harmless when they show nothing. */
  end(): void {
    const showing = this.#showing;
    if (showing === undefined) return;
    this.#showing = undefined;
    this.#options.ended(showing.trigger, Math.round(this.#options.nowMs() - showing.sinceMs));
  }
}
