import type { Command } from 'commander';
import { CommandFailure, EXIT } from '../failure.ts';
import type { NetworkAnswer } from '../service/answers.ts';
import { shellOf } from '../shown/shell.ts';
import { facts, table } from '../shown/table.ts';
import { bytes } from '../shown/units.ts';
import { readBody } from './body.ts';
import { seconds, wholeNumber } from './numbers.ts';
import { headerPair, toMap } from './pairs.ts';

type StartOptions = {
  readonly seek?: number;
  readonly duration?: number;
  readonly number?: number;
  readonly segment?: number;
  readonly transcode?: boolean;
  readonly record?: boolean;
  readonly callback?: string;
  readonly header?: readonly string[];
  readonly from?: string;
};

type Listed = { readonly broadcasts: readonly NetworkAnswer[] };
type Stopped = { readonly final_segment_number: number };
type Told = { readonly message: string };

const pathOf = (id: string, what = ''): string => `/broadcast/${encodeURIComponent(id)}${what}`;

/** Channels made of one programme after another, and recordings. */
export function networkCommands(program: Command): void {
  const networks = program.command('networks').description('channels of programmes, recordings');
  networks
    .command('list', { isDefault: true })
    .description('list all networks and recordings')
    .action(async (_options: object, command: Command) => {
      const shell = shellOf(command);
      shell.show(await shell.service.get<Listed>('/broadcast'), networkTable);
    });
  addStart(networks);
  addStatus(networks);
  addEnds(networks);
}

function addStart(networks: Command): void {
  networks
    .command('start')
    .description('show a programme, or record one; waits until it runs')
    .argument('<id>', 'letters, digits, _ and -')
    .argument('[url]', 'what to show')
    .option('--seek <seconds>', 'where to begin', seconds)
    .option('--duration <seconds>', 'how much to show; to its end if left out', seconds)
    .option('--number <n>', 'of the first segment', wholeNumber)
    .option('--segment <seconds>', 'length of a segment', seconds)
    .option('--transcode', 'encode anew')
    .option('--record', 'keep everything')
    .option('--callback <url>', 'who is told of the end')
    .option('--header <header...>', "headers for the source, as 'Name: value'")
    .option('--from <file>', 'a body of POST /broadcast/…/start, or - for standard input')
    .action(async (...[id, url, options, command]: [string, string?, StartOptions?, Command?]) => {
      if (command === undefined) return;
      const shell = shellOf(command);
      const body = await bodyOf(url, options ?? {});
      const answer = await shell.service.post<NetworkAnswer>(pathOf(id, '/start'), { body });
      shell.show(answer, ({ status }) => `${status}\n${pathOf(id, '/live.m3u8')}`);
    });
}

/** What options say goes over what the file says. */
async function bodyOf(url: string | undefined, options: StartOptions): Promise<object> {
  const { from, header } = options;
  if (url === undefined && from === undefined) {
    throw new CommandFailure('start needs a URL, or --from', EXIT.usage);
  }
  const said = {
    stream_url: url,
    seek_seconds: options.seek,
    duration_seconds: options.duration,
    segment_start_number: options.number,
    segment_duration: options.segment,
    transcode: options.transcode,
    dvr_mode: options.record,
    callback_url: options.callback,
    headers: header && toMap(header, headerPair),
  };
  const given = Object.entries(said).filter(([, value]) => value !== undefined);
  return { ...(from === undefined ? {} : await readBody(from)), ...Object.fromEntries(given) };
}

function addStatus(networks: Command): void {
  networks
    .command('status')
    .description('show one')
    .argument('<id>', 'of the network')
    .action(async (id: string, _options: object, command: Command) => {
      const shell = shellOf(command);
      shell.show(await shell.service.get<NetworkAnswer>(pathOf(id, '/status')), networkFacts);
    });
}

function addEnds(networks: Command): void {
  networks
    .command('stop')
    .description('end one; its files stay')
    .argument('<id>', 'of the network')
    .action(async (id: string, _options: object, command: Command) => {
      const shell = shellOf(command);
      const answer = await shell.service.post<Stopped>(pathOf(id, '/stop'));
      shell.show(answer, ({ final_segment_number: last }) => `stopped, last segment ${last}`);
    });
  networks
    .command('delete')
    .description('end one and remove its files, recordings included')
    .argument('<id>', 'of the network')
    .action(async (id: string, _options: object, command: Command) => {
      const shell = shellOf(command);
      shell.show(await shell.service.delete<Told>(pathOf(id)), ({ message }) => message);
    });
}

/** Sources may have passwords in their paths. */
const serverOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : '?');

const networkTable = ({ broadcasts }: Listed): string =>
  broadcasts.length === 0
    ? 'No networks.'
    : table(
        ['NETWORK', 'STATE', 'SEGMENT', 'WRITTEN', 'SOURCE', 'STARTED'],
        broadcasts.map((network) => [
          network.network_id,
          network.dvr_mode === true ? `${network.status}, recording` : network.status,
          String(network.current_segment_number),
          bytes(network.bytes_written),
          serverOf(network.stream_url),
          network.started_at.slice(0, 'yyyy-mm-ddThh:mm:ss'.length),
        ]),
      );

const networkFacts = (network: NetworkAnswer): string =>
  facts([
    ['state', network.status],
    ['segment', String(network.current_segment_number)],
    ['written', bytes(network.bytes_written)],
    ['source', serverOf(network.stream_url)],
    ['started', network.started_at],
    ['files', network.hls_dir ?? '–'],
    ...(network.error_message ? ([['error', network.error_message]] as const) : []),
  ]);
