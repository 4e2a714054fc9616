/** What a process told of itself when it was ready. */
export type ReadyFacts = Readonly<Record<string, unknown>>;

/** One life of one child process. */
export type Launched = {
  readonly pid: number | undefined;
  /** Resolves when it serves; rejects with ProcessError when it ended before, or took too long. */
  readonly ready: Promise<ReadyFacts>;
  /** Resolves when it is gone, with how it ended, in words. Never rejects. */
  readonly exited: Promise<string>;
  /** Asks it to drain, ends it after `graceMs`, and resolves when it is gone. Idempotent. */
  stop(graceMs: number): Promise<void>;
};

/** A process cannot be started or kept. For the person at the terminal; no client sees it. */
export class ProcessError extends Error {
  override readonly name = 'ProcessError';
}
