import { once } from 'node:events';
import { type Command, parseCommand, USAGE, UsageError } from './cli.ts';
import { loadScenario, ScenarioError } from './scenario/load-scenario.ts';
import { startFaultd } from './serve/faultd.ts';
import { NoFfmpegError } from './watch/decoder.ts';
import { formatReport } from './watch/report.ts';
import { watch } from './watch/watch.ts';

type Of<Name extends Command['name']> = Extract<Command, { readonly name: Name }>;

async function runCommand(command: Command): Promise<void> {
  if (command.name === 'help') console.log(USAGE);
  else if (command.name === 'check') await runCheck(command);
  else if (command.name === 'serve') await runServe(command);
  else await runWatch(command);
}

async function runCheck(command: Of<'check'>): Promise<void> {
  const { sources, timeline } = await loadScenario(command.scenario);
  console.log(`fine: ${Object.keys(sources).length} sources, ${timeline.length} timed faults`);
}

async function runServe({ scenario: path, port, address }: Of<'serve'>): Promise<void> {
  const read = await loadScenario(path);
  const scenario = { ...read, port: port ?? read.port, address: address ?? read.address };
  await using faultd = await startFaultd({
    scenario,
    onOrder: ({ words }, elapsedMs) => console.log(`${(elapsedMs / 1000).toFixed(1)} s ${words}`),
  });
  console.log(`faultd listens on ${faultd.provider.url('')}`);
  for (const source of Object.keys(scenario.sources)) console.log(`  ${source}`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  console.log(JSON.stringify(faultd.stats(), undefined, 2));
}

async function runWatch({ url, json, options }: Of<'watch'>): Promise<void> {
  const report = await watch(url, options);
  console.log(json ? JSON.stringify(report, undefined, 2) : formatReport(report));
}

try {
  await runCommand(parseCommand(process.argv.slice(2)));
} catch (error) {
  if (!isForPeople(error)) throw error;
  console.error(error.message);
  if (error instanceof UsageError) console.error(USAGE);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

/** What the caller can put right; anything else is a bug and shows its stack. */
function isForPeople(error: unknown): error is Error {
  const kinds = [UsageError, ScenarioError, NoFfmpegError];
  const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  return isTaken || kinds.some((kind) => error instanceof kind);
}
