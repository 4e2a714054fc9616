import type { Command } from 'commander';
import { CommandFailure, EXIT } from '../failure.ts';
import { readBody } from './body.ts';
import { headerPair, metadataPair, toMap } from './pairs.ts';

/** What every stream may be posted with. */
export type StreamOptions = {
  readonly failover?: readonly string[];
  readonly resolver?: string;
  readonly userAgent?: string;
  readonly header?: readonly string[];
  readonly meta?: readonly string[];
  readonly sharing?: string;
  readonly from?: string;
};

export const withStreamOptions = (command: Command): Command =>
  command
    .argument('[url]', 'its first source')
    .option('--failover <urls...>', 'its backups, in order')
    .option('--resolver <url>', 'an address that names the next source')
    .option('--user-agent <text>', 'what sources are told')
    .option('--header <header...>', "headers for sources, as 'Name: value'")
    .option('--meta <pair...>', 'metadata, as name=value')
    .option('--sharing <mode>', 'per-client or shared')
    .option('--from <file>', 'the whole body as JSON, from a file, or - for standard input');

/**
 * What options say goes over what the file says.
 * @param more - Fields of the command's own; those that are undefined are left out.
 * @throws CommandFailure
 */
export async function streamBody(
  url: string | undefined,
  options: StreamOptions,
  more: Readonly<Record<string, unknown>> = {},
): Promise<object> {
  const { failover, resolver, userAgent, header, meta, sharing, from } = options;
  if (url === undefined && from === undefined)
    throw new CommandFailure('a URL is needed, or --from', EXIT.usage);
  const said = {
    url,
    failover_urls: failover,
    failover_resolver_url: resolver,
    user_agent: userAgent,
    headers: header && toMap(header, headerPair),
    metadata: meta && toMap(meta, metadataPair),
    sharing,
    ...more,
  };
  const given = Object.entries(said).filter(([, value]) => value !== undefined);
  return { ...(from === undefined ? {} : await readBody(from)), ...Object.fromEntries(given) };
}
