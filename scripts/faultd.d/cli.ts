import { parseArgs } from 'node:util';
import type { WatchOptions } from './watch/watch-options.ts';

/** What the command line asks for. */
export type Command =
  | { readonly name: 'help' }
  | { readonly name: 'check'; readonly scenario: string }
  | {
      readonly name: 'serve';
      readonly scenario: string;
      readonly port: number | undefined;
      readonly address: string | undefined;
    }
  | {
      readonly name: 'watch';
      readonly url: string;
      readonly json: boolean;
      readonly options: WatchOptions;
    };

export const USAGE = `Usage:
  scripts/faultd <scenario.yaml> [--port <n>] [--address <ip>]
      serves the scenario until Ctrl-C
  scripts/faultd check <scenario.yaml>
      says what is wrong with it, all at once
  scripts/faultd watch <url> --seconds <n> [--json] [--no-decode] [--gap <ms>]
                       [--header 'Name: value'] [--insecure]
      plays an address and measures what comes
See docs/faultd.md.`;

/** The command line makes no sense. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** Reads the arguments after the program's name. @throws UsageError */
export function parseCommand(args: readonly string[]): Command {
  const { values, positionals } = parsed(args);
  const [first, second, ...more] = positionals;
  if (values.help || first === undefined) return { name: 'help' };
  if (first === 'check' || first === 'watch') {
    if (second === undefined || more.length > 0)
      throw new UsageError(`${first} takes one argument`);
    return first === 'check' ? { name: 'check', scenario: second } : watching(second, values);
  }
  if (second !== undefined) throw new UsageError(`${second}: one scenario at a time`);
  const port = values.port === undefined ? undefined : numberOf('--port', values.port, 65_535);
  return { name: 'serve', scenario: first, port, address: values.address };
}

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  port: { type: 'string' },
  address: { type: 'string' },
  seconds: { type: 'string' },
  gap: { type: 'string' },
  header: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  'no-decode': { type: 'boolean' },
  insecure: { type: 'boolean' },
} as const;

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

type Values = ReturnType<typeof parsed>['values'];

function watching(url: string, values: Values): Command {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) throw new UsageError('no http address');
  return {
    name: 'watch',
    url,
    json: values.json ?? false,
    options: {
      seconds: numberOf('--seconds', values.seconds ?? '10', 86_400),
      gapThresholdMs: numberOf('--gap', values.gap ?? '500', 3_600_000),
      decode: !values['no-decode'],
      isInsecure: values.insecure ?? false,
      headers: Object.fromEntries([AGENT, ...(values.header ?? []).map(headerOf)]),
    },
  };
}

/** Providers that look at it let players in. */
const AGENT = ['User-Agent', 'VLC/3.0.20 LibVLC/3.0.20'] as const;

function headerOf(text: string): readonly [string, string] {
  const colon = text.indexOf(':');
  if (colon < 1) throw new UsageError(`--header: ${text} is not 'Name: value'`);
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}

function numberOf(option: string, text: string, most: number): number {
  const number = text.trim() === '' ? NaN : Number(text);
  if (number >= 0 && number <= most) return number;
  throw new UsageError(`${option} takes a number up to ${most}`);
}
