import type { Command } from 'commander';
import { CommandFailure, EXIT } from '../failure.ts';
import type { StatsAnswer, TotalsAnswer } from '../service/answers.ts';
import { shellOf } from '../shown/shell.ts';
import { facts } from '../shown/table.ts';
import { bytes, duration } from '../shown/units.ts';

type Health = { readonly status: string; readonly version: string; readonly stats: TotalsAnswer };
type Probe = { readonly success: boolean; readonly message: string };

/** The service itself. */
export function serviceCommands(program: Command): void {
  program
    .command('stats')
    .description('what it serves')
    .action(async (_options: object, command: Command) => {
      const shell = shellOf(command);
      shell.show(await shell.service.get<StatsAnswer>('/stats'), (stats) => facts(totalsOf(stats)));
    });
  program
    .command('health')
    .description('how it does; fails unless it is healthy')
    .action(async (_options: object, command: Command) => {
      const shell = shellOf(command);
      const health = await shell.service.get<Health>('/health');
      shell.show(health, ({ status, version, stats }) =>
        facts([['status', status], ['version', version], ...totalsOf(stats)]),
      );
      if (health.status !== 'healthy')
        throw new CommandFailure(`It is ${health.status}`, EXIT.failed);
    });
  program
    .command('test-connection')
    .description('whether the service can reach an address')
    .argument('<url>', 'the address')
    .action(async (url: string, _options: object, command: Command) => {
      const shell = shellOf(command);
      const answer = await shell.service.post<Probe>('/test-connection', { body: { url } });
      shell.show(answer, ({ message }) => message);
      if (!answer.success) throw new CommandFailure('It cannot be reached', EXIT.failed);
    });
}

const totalsOf = (totals: TotalsAnswer): readonly (readonly [string, string])[] => [
  ['streams', String(totals.total_streams)],
  ['watched', String(totals.active_streams)],
  ['viewers', String(totals.active_clients)],
  ['served', bytes(totals.total_bytes_served)],
  ['segments', String(totals.total_segments_served)],
  ['up for', duration(totals.uptime_seconds)],
];
