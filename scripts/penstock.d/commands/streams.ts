import type { Command } from 'commander';
import { CommandFailure, EXIT } from '../failure.ts';
import type { InfoAnswer, StreamAnswer } from '../service/answers.ts';
import { shellOf } from '../shown/shell.ts';
import { infoText, streamTable } from '../shown/streams.ts';
import { readBody } from './body.ts';
import { headerPair, metadataPair, toMap } from './pairs.ts';

type CreateOptions = {
  readonly failover?: readonly string[];
  readonly resolver?: string;
  readonly userAgent?: string;
  readonly header?: readonly string[];
  readonly meta?: readonly string[];
  readonly sharing?: string;
  readonly from?: string;
};

/** Streams one by one. */
export function streamCommands(program: Command): void {
  addCreate(program);
  program
    .command('list')
    .description('list all streams')
    .option('--active', 'only those that somebody watches')
    .action(async ({ active }: { readonly active?: boolean }, command: Command) => {
      const shell = shellOf(command);
      const query = active === true ? { active: 'true' } : {};
      const answer = await shell.service.get<Listed>('/streams', { query });
      shell.show(answer, ({ streams }) => streamTable(streams));
    });
  addInfo(program);
  onOneStream(program, 'delete', {
    description: 'end a stream and forget it',
    run: ({ service }, path) => service.delete(path),
  });
  onOneStream(program, 'failover', {
    description: 'go on with the next source now',
    run: ({ service }, path) => service.post(`${path}/failover`),
  });
}

type Listed = { readonly streams: readonly StreamAnswer[] };
type Told = { readonly message: string };
type Shell = ReturnType<typeof shellOf>;

function addCreate(program: Command): void {
  program
    .command('create')
    .description('register a stream, or change it')
    .argument('[url]', 'its first source')
    .option('--failover <urls...>', 'its backups, in order')
    .option('--resolver <url>', 'an address that names the next source')
    .option('--user-agent <text>', 'what sources are told')
    .option('--header <header...>', "headers for sources, as 'Name: value'")
    .option('--meta <pair...>', 'metadata, as name=value')
    .option('--sharing <mode>', 'per-client or shared')
    .option('--from <file>', 'the whole body as JSON, from a file, or - for standard input')
    .action(async (url: string | undefined, options: CreateOptions, command: Command) => {
      const shell = shellOf(command);
      const body = await bodyOf(url, options);
      const answer = await shell.service.post<Created>('/streams', { body });
      shell.show(answer, ({ stream_id, stream_endpoint }) => `${stream_id}\n${stream_endpoint}`);
    });
}

type Created = { readonly stream_id: string; readonly stream_endpoint: string };

/** What options say goes over what the file says. */
async function bodyOf(url: string | undefined, options: CreateOptions): Promise<object> {
  const { failover, resolver, userAgent, header, meta, sharing, from } = options;
  if (url === undefined && from === undefined)
    throw new CommandFailure('create needs a URL, or --from', EXIT.usage);
  const said = {
    url,
    failover_urls: failover,
    failover_resolver_url: resolver,
    user_agent: userAgent,
    headers: header && toMap(header, headerPair),
    metadata: meta && toMap(meta, metadataPair),
    sharing,
  };
  const given = Object.entries(said).filter(([, value]) => value !== undefined);
  return { ...(from === undefined ? {} : await readBody(from)), ...Object.fromEntries(given) };
}

function addInfo(program: Command): void {
  program
    .command('info')
    .description('one stream, its switches and its viewers')
    .argument('<stream>', 'its id')
    .action(async (stream: string, _options: object, command: Command) => {
      const shell = shellOf(command);
      shell.show(await shell.service.get<InfoAnswer>(pathTo(stream)), infoText);
    });
}

type OneStream = {
  readonly description: string;
  readonly run: (shell: Shell, path: string) => Promise<Told>;
};

function onOneStream(program: Command, name: string, { description, run }: OneStream): void {
  program
    .command(name)
    .description(description)
    .argument('<stream>', 'its id')
    .action(async (stream: string, _options: object, command: Command) => {
      const shell = shellOf(command);
      shell.show(await run(shell, pathTo(stream)), ({ message }) => message);
    });
}

const pathTo = (stream: string): string => `/streams/${encodeURIComponent(stream)}`;
