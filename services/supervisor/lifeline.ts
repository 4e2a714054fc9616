import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';

/** A file descriptor. Execa takes any, but its types know these. */
export type Descriptor = 3 | 4 | 5 | 6 | 7 | 8 | 9;

/** A pipe whose writing end is held by every process that needs Redis. */
export type Lifeline = {
  /** For the watcher beside Redis: reads nothing, then end of file when every holder is gone. */
  readonly watch: Descriptor;
  /** For the processes that use Redis. */
  readonly hold: Descriptor;
  close(): void;
};

/**
 * Makes a lifeline. Held by file descriptors alone, so it works however a holder ends: after
 * `kill -9` of the supervisor Redis stays until api and worker have written their last events.
 */
export async function openLifeline(folder: string): Promise<Lifeline> {
  const path = join(folder, 'lifeline');
  rmSync(path, { force: true });
  await execa('mkfifo', ['-m', '600', path], { timeout: 5_000 });
  // Opened for both: Linux then does not wait for a reader, and holds the writing end.
  const hold = openSync(path, 'r+') as Descriptor;
  const watch = openSync(path, 'r') as Descriptor;
  rmSync(path);
  return {
    watch,
    hold,
    close: () => {
      closeSync(hold);
      closeSync(watch);
    },
  };
}
