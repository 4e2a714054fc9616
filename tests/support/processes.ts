import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 20;

export type FoundProcess = { readonly pid: number; readonly command: string };

export type Traits = {
  /** In its environment. */
  readonly mark: string;
  /** It works in this folder or below: Redis writes its title over its environment. */
  readonly folder: string;
};

/** Every living process with one of the traits, zombies left out. */
export const processesWith = ({ mark, folder }: Traits): readonly FoundProcess[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter(
      (pid) =>
        read(`/proc/${pid}/environ`).includes(mark) ||
        workingFolderOf(pid).startsWith(`${folder}/`),
    )
    .map((pid) => ({
      pid: Number(pid),
      command: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim(),
    }))
    .filter(({ command }) => command !== '');

/** Resolves when `holds` does; rejects when it still does not after `withinMs`. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Not in ${withinMs} ms: ${what}.`);
    await pause(POLL_MS);
  }
}

function workingFolderOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

/** A process that ends while it is looked at reads as nothing. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
