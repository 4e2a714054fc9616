import type { Logger } from '#kernel/logger';

/** What a process has become once it is up. */
export type RunningProcess = {
  /** Facts for the parent: where it listens, what it serves. Must survive JSON. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Drains: takes nothing new, finishes what runs, closes. Called once. */
  close(): Promise<void>;
};

export type ProcessOptions = {
  readonly logger: Logger;
  /** How long draining may take, in milliseconds; then the process ends with code 1. */
  readonly graceMs: number;
  readonly start: () => Promise<RunningProcess>;
};

/**
 * Runs this process from start to end: call it once, last, in a `main.ts`.
 *
 * Tells the parent `{ kind: 'ready', ...ready }` over IPC, when there is one. Drains and exits with
 * code 0 on SIGTERM, on SIGINT and when the parent is gone, however it went. A second signal
 * exits at once. A failed start, or an error that nobody caught, is logged and ends with code 1.
 */
export function runProcess({ logger, graceMs, start }: ProcessOptions): void {
  // In the next microtask: a signal that comes while it starts finds who listens.
  const started = Promise.resolve().then(start);
  started.then(announce, (error: unknown) => exitFailed(logger, 'start failed', { error }));
  let draining = false;

  const drain = (reason: string): void => {
    if (draining) return;
    draining = true;
    logger.info('draining', { reason, graceMs });
    setTimeout(() => exitFailed(logger, 'draining took too long', { graceMs }), graceMs);
    started
      .then((running) => running.close())
      .then(exit, (error: unknown) => exitFailed(logger, 'draining failed', { error }));
  };

  ignoreBrokenOutput();
  onSignals((signal) => {
    if (draining) exitFailed(logger, 'second signal', { signal });
    drain(signal);
  });
  onParentGone(() => drain('parent gone'));
  process.on('uncaughtException', (error: unknown) => {
    process.exitCode = 1;
    logger.error('uncaught error', { error });
    drain('uncaught error');
  });
}

function announce({ ready }: RunningProcess): void {
  // With a callback, a parent that has just gone is no error: its going is noticed elsewhere.
  process.send?.({ kind: 'ready', ...ready }, undefined, undefined, () => {});
}

function onSignals(call: (signal: string) => void): void {
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => call(signal));
}

/** The channel closes with the parent's last breath, also after `kill -9`. */
function onParentGone(call: () => void): void {
  process.on('disconnect', call);
  const goneBeforeWeListened = process.send !== undefined && !process.connected;
  if (goneBeforeWeListened) setImmediate(call);
}

/** With the terminal or the log reader gone, writing fails; draining must not fail with it. */
function ignoreBrokenOutput(): void {
  for (const output of [process.stdout, process.stderr]) output.on('error', () => {});
}

function exitFailed(logger: Logger, message: string, fields: Record<string, unknown>): void {
  process.exitCode = 1;
  logger.error(message, fields);
  exit();
}

/** With `process.exitCode`, 0 unless something went wrong. */
function exit(): void {
  // oxlint-disable-next-line unicorn/no-process-exit -- this is where processes end.
  process.exit();
}
