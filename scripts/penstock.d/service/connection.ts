import { CommandFailure, EXIT } from '../failure.ts';

/** How the service is reached. */
export type Connection = {
  /** Without a slash at its end; may have a path, as `ROOT_PATH` behind a proxy. */
  readonly base: string;
  readonly token: string | undefined;
  readonly deadlineMs: number;
};

export type ConnectionOptions = {
  readonly url: string;
  readonly token?: string;
  /** Seconds. */
  readonly timeout: number;
};

/** @throws CommandFailure when the address is none. */
export function connectionOf({ url, token, timeout }: ConnectionOptions): Connection {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) throw wrong('is no http address');
  if (parsed.username !== '' || parsed.password !== '')
    throw wrong('has a user in it: use --token');
  const base = `${parsed.origin}${parsed.pathname.replace(/\/+$/, '')}`;
  return { base, token: token === '' ? undefined : token, deadlineMs: timeout * 1000 };
}

const wrong = (what: string): CommandFailure => new CommandFailure(`--url ${what}`, EXIT.usage);
