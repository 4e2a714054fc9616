import type { Command } from 'commander';
import { CommandFailure, EXIT } from '../failure.ts';
import type { ProfileAnswer } from '../service/answers.ts';
import { shellOf } from '../shown/shell.ts';
import { facts, table } from '../shown/table.ts';
import { fileText } from './file-text.ts';

type Listed = { readonly profiles: readonly ProfileAnswer[] };
type Told = { readonly message: string };
type SaveOptions = {
  readonly template?: string;
  readonly from?: string;
  readonly description?: string;
};

const ROUTE = '/transcode/profiles';

/** What streams are transcoded with. */
export function profileCommands(program: Command): void {
  const profiles = program.command('profiles').description('what streams are transcoded with');
  profiles
    .command('list', { isDefault: true })
    .description('list built-in profiles, and those of apps')
    .action(async (_options: object, command: Command) => {
      const shell = shellOf(command);
      shell.show(await shell.service.get<Listed>(ROUTE), profileTable);
    });
  profiles
    .command('show')
    .description('one profile with its template')
    .argument('<name>', 'its name')
    .action(async (name: string, _options: object, command: Command) => {
      const shell = shellOf(command);
      shell.show(await shell.service.get<ProfileAnswer>(pathTo(name)), profileText);
    });
  addSaving(profiles);
  profiles
    .command('remove')
    .description('forget a profile; streams that have it keep what it was')
    .argument('<name>', 'its name')
    .action(async (name: string, _options: object, command: Command) => {
      const shell = shellOf(command);
      shell.show(await shell.service.delete<Told>(pathTo(name)), ({ message }) => message);
    });
}

function addSaving(profiles: Command): void {
  profiles
    .command('save')
    .description('make a profile, or change it')
    .argument('<name>', 'its name')
    .option('--template <text>', 'arguments of FFmpeg with placeholders, in quotes')
    .option('--from <file>', 'the template from a file, or - for standard input')
    .option('--description <text>', 'what it is for')
    .action(async (name: string, options: SaveOptions, command: Command) => {
      const shell = shellOf(command);
      const { description } = options;
      const template = await templateIn(options);
      const body = { name, template, ...(description === undefined ? {} : { description }) };
      shell.show(await shell.service.post<ProfileAnswer>(ROUTE, { body }), profileText);
    });
}

async function templateIn({ template, from }: SaveOptions): Promise<string> {
  if (template !== undefined) return template;
  if (from !== undefined) return (await fileText(from)).trim();
  throw new CommandFailure('save needs --template, or --from', EXIT.usage);
}

const profileTable = ({ profiles }: Listed): string =>
  table(
    ['NAME', 'BUILT IN', 'FOR'],
    profiles.map(({ name, built_in, description }) => [name, built_in ? 'yes' : 'no', description]),
  );

const profileText = ({ name, built_in, description, parameters }: ProfileAnswer): string =>
  facts([
    ['name', name],
    ['built in', built_in ? 'yes' : 'no'],
    ['for', description],
    ['template', parameters],
  ]);

const pathTo = (name: string): string => `${ROUTE}/${encodeURIComponent(name)}`;
