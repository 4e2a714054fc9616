import type { Command } from 'commander';
import type { InfoAnswer, StreamAnswer } from '../service/answers.ts';
import { shellOf } from '../shown/shell.ts';
import { infoText, streamTable } from '../shown/streams.ts';
import { toMap, variablePair } from './pairs.ts';
import { streamBody, withStreamOptions } from './stream-body.ts';
import type { StreamOptions } from './stream-body.ts';

/** Streams one by one. */
export function streamCommands(program: Command): void {
  addCreate(program);
  addTranscode(program);
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
  withStreamOptions(program.command('create'))
    .description('register a stream, or change it')
    .action(async (url: string | undefined, options: StreamOptions, command: Command) => {
      const shell = shellOf(command);
      const body = await streamBody(url, options);
      shell.show(await shell.service.post<Created>('/streams', { body }), createdText);
    });
}

const createdText = ({ stream_id, stream_endpoint }: Created): string =>
  `${stream_id}\n${stream_endpoint}`;

type TranscodeOptions = StreamOptions & {
  readonly profile?: string;
  readonly variable?: readonly string[];
  readonly format?: string;
  readonly page?: string;
  readonly pageArgs?: string;
  readonly cookiesPath?: string;
};

function addTranscode(program: Command): void {
  withStreamOptions(program.command('transcode'))
    .description('register a stream that is transcoded, or whose page a program plays')
    .option(
      '--profile <profile>',
      "name of a profile, or a template in quotes; 'default' if left out",
    )
    .option('--variable <pair...>', "for the template's placeholders, as name=value")
    .option('--format <format>', 'what comes out: mpegts, hls, mp4, …')
    .option('--page <program>', 'the URLs are pages, for streamlink or ytdlp')
    .option('--page-args <text>', 'quality or format, and options of that program')
    .option('--cookies-path <path>', 'a cookies file of the service')
    .action(async (url: string | undefined, options: TranscodeOptions, command: Command) => {
      const shell = shellOf(command);
      const body = await streamBody(url, options, {
        profile: options.profile,
        profile_variables: options.variable && toMap(options.variable, variablePair),
        output_format: options.format,
        resolver: options.page,
        resolver_args: options.pageArgs,
        cookies_path: options.cookiesPath,
      });
      shell.show(await shell.service.post<Created>('/transcode', { body }), createdText);
    });
}

type Created = { readonly stream_id: string; readonly stream_endpoint: string };

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
