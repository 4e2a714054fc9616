import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { StatsAnswer } from '../service/answers.ts';
import { monitorText, rowsOf, type Sample } from '../shown/monitor.ts';
import { shellOf, type Shell } from '../shown/shell.ts';
import { seconds, wholeNumber } from './numbers.ts';

type MonitorOptions = { readonly interval: number; readonly rounds?: number };

/** Home, and nothing below. The screen is kept, so that it does not flicker. */
const FROM_THE_TOP = '\u001B[H\u001B[J';

/** A table that follows what happens. */
export function monitorCommand(program: Command): void {
  program
    .command('monitor')
    .description('follow all streams until Ctrl-C; with --json one line of JSON a round')
    .option('--interval <seconds>', 'from one look to the next', seconds, 2)
    .option('--rounds <n>', 'end after so many looks', wholeNumber)
    .action(async (options: MonitorOptions, command: Command) => {
      await follow(shellOf(command), options);
    });
}

async function follow(
  shell: Shell,
  { interval, rounds = Infinity }: MonitorOptions,
): Promise<void> {
  const interrupted = new AbortController();
  const stop = (): void => interrupted.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  let before: Sample | undefined;
  for (let round = 1; round <= rounds && !interrupted.signal.aborted; round += 1) {
    const stats = await shell.service.get<StatsAnswer>('/stats');
    const sample = { stats, atMs: performance.now() };
    tell(shell, sample, before);
    before = sample;
    if (round < rounds) await pause(interval, interrupted.signal);
  }
}

function tell({ isJson }: Shell, sample: Sample, before: Sample | undefined): void {
  const rows = rowsOf(sample, before);
  if (isJson) console.log(JSON.stringify({ totals: totalsOf(sample.stats), streams: rows }));
  else console.log(`${process.stdout.isTTY ? FROM_THE_TOP : ''}${monitorText(sample, rows)}`);
}

const totalsOf = ({ streams: _streams, clients: _clients, ...totals }: StatsAnswer) => totals;

/** Ctrl-C ends the wait, and with it the command. */
const pause = (forSeconds: number, signal: AbortSignal): Promise<unknown> =>
  delay(forSeconds * 1000, undefined, { signal }).catch(() => undefined);
