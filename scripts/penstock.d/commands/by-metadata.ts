import type { Command } from 'commander';
import type { MatchAnswer } from '../service/answers.ts';
import { shellOf } from '../shown/shell.ts';
import { facts, table } from '../shown/table.ts';

type Matches = { readonly matching_streams: readonly MatchAnswer[] };
type Counts = { readonly counts: Readonly<Record<string, number>> };
type Cleared = { readonly message: string; readonly deleted_streams: readonly string[] };
type OldestCleared = { readonly message: string; readonly deleted_stream: string | null };

type Activity = { readonly active?: boolean };

const wordOf = (isSet: boolean | undefined): string | undefined =>
  isSet === true ? 'true' : undefined;

/** Streams by what their apps say of them. */
export function metadataCommands(program: Command): void {
  const group = program
    .command('by-metadata')
    .description('streams by what their apps say of them');
  addLookUps(group);
  addRemovals(group);
}

function addLookUps(group: Command): void {
  group
    .command('list')
    .description('list the streams that match')
    .argument('<field>')
    .argument('<value>')
    .option('--active', 'only those that somebody watches')
    .action(async function (this: Command) {
      const { active } = this.opts<Activity>();
      const [field, value] = this.args;
      const shell = shellOf(this);
      const query = { field, value, active_only: wordOf(active) };
      const answer = await shell.service.get<Matches>('/streams/by-metadata', { query });
      shell.show(answer, matchTable);
    });
  group
    .command('count')
    .description('count the streams of each value')
    .argument('<field>')
    .argument('<values...>')
    .option('--active', 'only those that somebody watches')
    .action(async function (this: Command) {
      const { active } = this.opts<Activity>();
      const [field, ...values] = this.args;
      const shell = shellOf(this);
      const query = { field, values: values.join(','), active_only: wordOf(active) };
      const answer = await shell.service.get<Counts>('/streams/counts-by-metadata', { query });
      shell.show(answer, ({ counts }) =>
        facts(Object.entries(counts).map(([name, count]) => [name, String(count)])),
      );
    });
}

type RemovalOptions = { readonly excludeChannel?: string; readonly idleOnly?: boolean };

function addRemovals(group: Command): void {
  group
    .command('delete')
    .description('end the streams that match')
    .argument('<field>')
    .argument('<value>')
    .option('--exclude-channel <id>', 'spare the stream with this id in its metadata')
    .option('--idle-only', 'spare those that somebody watches')
    .action(async function (this: Command) {
      const options = this.opts<RemovalOptions>();
      const [field, value] = this.args;
      const shell = shellOf(this);
      const query = {
        field,
        value,
        exclude_channel_id: options.excludeChannel,
        force: options.idleOnly === true ? 'false' : undefined,
      };
      const answer = await shell.service.delete<Cleared>('/streams/by-metadata', { query });
      shell.show(answer, ({ message, deleted_streams }) =>
        [message, ...deleted_streams].join('\n'),
      );
    });
  group
    .command('delete-oldest')
    .description('end the oldest stream that matches')
    .argument('<field>')
    .argument('<value>')
    .option('--exclude-channel <id>', 'spare the stream with this id in its metadata')
    .action(async function (this: Command) {
      const { excludeChannel } = this.opts<RemovalOptions>();
      const [field, value] = this.args;
      const shell = shellOf(this);
      const query = { field, value, exclude_channel_id: excludeChannel };
      const path = '/streams/oldest-by-metadata';
      const answer = await shell.service.delete<OldestCleared>(path, { query });
      shell.show(answer, ({ message, deleted_stream: id }) => (id ? `${message}\n${id}` : message));
    });
}

const matchTable = ({ matching_streams: matches }: Matches): string =>
  matches.length === 0
    ? 'No streams.'
    : table(
        ['STREAM', 'TYPE', 'VIEWERS', 'METADATA'],
        matches.map(({ stream_id: id, stream_type: type, client_count: viewers, metadata }) => [
          id,
          type,
          String(viewers),
          Object.entries(metadata)
            .map(([name, value]) => `${name}=${value}`)
            .join(' '),
        ]),
      );
