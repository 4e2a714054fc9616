import packageInfo from '#package' with { type: 'json' };
import { Command, Option } from 'commander';
import { metadataCommands } from './commands/by-metadata.ts';
import { clientCommands } from './commands/clients.ts';
import { monitorCommand } from './commands/monitor.ts';
import { networkCommands } from './commands/networks.ts';
import { seconds } from './commands/numbers.ts';
import { profileCommands } from './commands/profiles.ts';
import { serviceCommands } from './commands/service.ts';
import { streamCommands } from './commands/streams.ts';
import { webhookCommands } from './commands/webhooks.ts';

const EPILOGUE = `
Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 the service cannot be reached,
4 not found, 5 token missing or wrong. See docs/cli.md.`;

/** The command line: its options, and a command for each thing the API does. */
export function createProgram(): Command {
  const program = new Command('penstock')
    .description('Speaks to a running Penstock.')
    .version(packageInfo.version)
    .addOption(
      new Option('--url <url>', 'where it answers')
        .env('PENSTOCK_URL')
        .default('http://127.0.0.1:8085'),
    )
    // Other users of the machine see options; they do not see the environment.
    .addOption(new Option('--token <token>', 'its API token').env('PENSTOCK_TOKEN'))
    .option('--timeout <seconds>', 'patience with one answer', seconds, 15)
    .option('--json', 'print answers, and errors, as JSON')
    .addHelpText('after', EPILOGUE)
    .showSuggestionAfterError()
    // Errors are told by whoever runs this.
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  for (const add of COMMANDS) add(program);
  return program;
}

const COMMANDS = [
  streamCommands,
  serviceCommands,
  monitorCommand,
  clientCommands,
  networkCommands,
  webhookCommands,
  profileCommands,
  metadataCommands,
];
