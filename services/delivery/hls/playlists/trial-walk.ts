import type { AppError } from '#kernel/app-error';
import type { Clock } from '#kernel/clock';
import type { SlateTrigger } from '#upstream';
import type { Source, SourceWalk, SpareSource, SwitchTiming } from '#streams';

/**
 * The walk of a relay that is to find out whether a source is live. Until it has passed nobody hears
 * of it: a failure ends the relay and moves no stream on, and media settles no switch.
 */
export class TrialWalk implements SourceWalk {
  readonly #walk: SourceWalk;
  readonly #clock: Clock;
  #isOn = true;
  #flowingSinceMs: number | undefined;

  constructor(walk: SourceWalk, clock: Clock) {
    this.#walk = walk;
    this.#clock = clock;
  }

  /** When the first media of its source came, monotonic; undefined before. */
  get flowingSinceMs(): number | undefined {
    return this.#flowingSinceMs;
  }

  /** The source is live, and the relay's from now on. */
  pass(timing: SwitchTiming | undefined): void {
    this.#isOn = false;
    this.#walk.flowing(timing);
  }

  get current(): Source {
    return this.#walk.current;
  }

  ready(signal: AbortSignal): Promise<Source> {
    return this.#walk.ready(signal);
  }

  flowing(timing?: SwitchTiming): void {
    this.#flowingSinceMs ??= this.#clock.monotonicMs();
    if (!this.#isOn) this.#walk.flowing(timing);
  }

  async failed(failed: Source, error: AppError, signal: AbortSignal): Promise<Source> {
    if (this.#isOn) throw error;
    return this.#walk.failed(failed, error, signal);
  }

  onMoved(listener: (source: Source) => void): () => void {
    return this.#walk.onMoved((source) => {
      this.#flowingSinceMs = undefined;
      listener(source);
    });
  }

  spare(mayOpen: (source: Source) => boolean): SpareSource | undefined {
    return this.#isOn ? undefined : this.#walk.spare(mayOpen);
  }

  get canReturn(): boolean {
    return this.#walk.canReturn;
  }

  get isReturnDue(): boolean {
    return !this.#isOn && this.#walk.isReturnDue;
  }

  returning(mayOpen: (source: Source) => boolean): SpareSource | undefined {
    return this.#isOn ? undefined : this.#walk.returning(mayOpen);
  }

  returnToPrimary(): void {
    this.#walk.returnToPrimary();
  }

  giveUp(error: AppError): AppError {
    return this.#isOn ? error : this.#walk.giveUp(error);
  }

  slate(trigger: SlateTrigger | undefined): void {
    if (!this.#isOn) this.#walk.slate(trigger);
  }

  takeUp(isIt: (url: string) => boolean): void {
    this.#walk.takeUp(isIt);
  }

  close(): void {
    this.#walk.close();
  }
}
