import { CommanderError } from 'commander';
import { CommandFailure, EXIT, failureJson } from './failure.ts';
import { createProgram } from './program.ts';
import { printable } from './shown/table.ts';

const program = createProgram();
// What reads our output may stop early, as `head` does.
process.stdout.on('error', () => process.exit());
try {
  await program.parseAsync();
} catch (error) {
  const failure = failureOf(error);
  if (failure !== undefined) tell(failure);
}

/** Nothing for `--help` and `--version`, which end the same way. @throws what is a bug */
function failureOf(error: unknown): CommandFailure | undefined {
  if (error instanceof CommandFailure) return error;
  if (!(error instanceof CommanderError)) throw error;
  if (error.exitCode === 0) return undefined;
  const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  return new CommandFailure(message === '(outputHelp)' ? 'say what to do' : message, EXIT.usage);
}

function tell(failure: CommandFailure): void {
  const isJson = program.opts<{ readonly json?: boolean }>().json ?? false;
  if (isJson) console.error(JSON.stringify(failureJson(failure)));
  else console.error(`penstock: ${printable(failure.message)}`);
  if (!isJson && failure.exitCode === EXIT.usage) console.error('See penstock --help.');
  process.exitCode = failure.exitCode;
}
