import { setTimeout as pause } from 'node:timers/promises';
import { runProcess } from '#lifecycle';
import { silentLogger } from '#kernel/logger';

/**
 * Stands in for `api/main.ts` and `workers/main.ts`: it lives, tells its life on standard output
 * and takes a moment to drain. `CHILD_FAILS` makes its start fail.
 */
const DRAIN_MS = 100;

const say = (word: string): void => {
  process.stdout.write(`${JSON.stringify({ child: word, pid: process.pid })}\n`);
};

runProcess({
  logger: silentLogger,
  graceMs: 5_000,
  start: async () => {
    if (process.env['CHILD_FAILS'] !== undefined) throw new Error('asked to fail');
    const life = setInterval(() => {}, 60_000);
    say('up');
    return {
      ready: { port: 80, pid: process.pid },
      close: async () => {
        await pause(DRAIN_MS);
        clearInterval(life);
        say('drained');
      },
    };
  },
});
