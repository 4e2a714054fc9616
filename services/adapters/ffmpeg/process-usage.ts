import { readFile } from 'node:fs/promises';
import type { Usage } from '#transcode';

/** `USER_HZ`, in which the kernel tells times to programs, whatever its own clock (proc(5)). */
const TICK_MS = 10;
/** Behind the name of the program, which may hold anything: `utime` and `stime`. */
const USER_FIELD = 11;

/** What a process uses, from `/proc`; undefined when it is gone, or where there is no `/proc`. */
export async function processUsage(pid: number): Promise<Usage | undefined> {
  try {
    const [stat, status] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
    ]);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[USER_FIELD]) + Number(fields[USER_FIELD + 1]);
    const kibibytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
    return { cpuMs: ticks * TICK_MS, memoryBytes: kibibytes * 1024 };
  } catch {
    return undefined;
  }
}
