import { execa, type Options } from 'execa';
import { orAbort } from '#kernel/or-abort';
import { type Launched, ProcessError, type ReadyFacts } from './launched.ts';

/** Far more than a slow board needs; a process that hangs is ended and tried again. */
const READY_DEADLINE_MS = 60_000;

export type Child = ReturnType<typeof spawn>;

export type Command = {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly options: Options;
  /** Resolves when the child serves. `over` aborts when it has ended or is too late. */
  readonly ready: (child: Child, over: AbortSignal) => Promise<ReadyFacts>;
  /** What the child said last; told when it ends. */
  readonly lastWords?: () => string;
};

/**
 * Starts a child in a process group of its own: Ctrl-C in a terminal then reaches the supervisor
 * alone, which keeps the order of draining. What a dead child leaves in its group is ended too.
 */
export function launch(command: Command): Launched {
  const child = spawn(command);
  const over = new AbortController();
  const exited = child.then((result) => {
    killGroup(child.pid);
    const ending = [howItEnded(result), command.lastWords?.()].filter(Boolean).join(': ');
    over.abort(new ProcessError(`${command.name} ended before it was ready: ${ending}`));
    return ending;
  });
  let stopping: Promise<void> | undefined;
  return {
    pid: child.pid,
    ready: readyInTime(command, child, over),
    exited,
    stop: (graceMs) => (stopping ??= stop(child, exited, graceMs)),
  };
}

function spawn({ file, args, options }: Command) {
  return execa(file, args, {
    ...options,
    detached: true,
    cleanup: false,
    forceKillAfterDelay: false,
    reject: false,
    buffer: false,
  });
}

const howItEnded = ({ exitCode, signal, originalMessage }: Awaited<Child>): string =>
  signal ?? (exitCode === undefined ? (originalMessage ?? 'not started') : `exit code ${exitCode}`);

async function readyInTime(
  { name, ready }: Command,
  child: Child,
  over: AbortController,
): Promise<ReadyFacts> {
  const deadline = setTimeout(() => {
    over.abort(new ProcessError(`${name} was not ready in ${READY_DEADLINE_MS / 1000} s.`));
    child.kill('SIGKILL');
  }, READY_DEADLINE_MS);
  try {
    return await orAbort(ready(child, over.signal), over.signal);
  } finally {
    clearTimeout(deadline);
  }
}

async function stop(child: Child, exited: Promise<string>, graceMs: number): Promise<void> {
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await exited;
  clearTimeout(force);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH, the usual case: nobody of that group is left.
  }
}
