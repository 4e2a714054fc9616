import { CommandFailure, EXIT, refused } from '../failure.ts';
import type { Connection } from './connection.ts';

type Call = {
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
};

/** The management API of one Penstock. */
export class Service {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get<T>(path: string, call?: Call): Promise<T> {
    return this.#call('GET', path, call);
  }

  post<T>(path: string, call?: Call): Promise<T> {
    return this.#call('POST', path, call);
  }

  delete<T>(path: string, call?: Call): Promise<T> {
    return this.#call('DELETE', path, call);
  }

  /** @throws CommandFailure for everything that is not a success with a JSON body. */
  async #call<T>(method: string, path: string, { query = {}, body }: Call = {}): Promise<T> {
    const given = Object.entries(query).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    const search = given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
    const response = await this.#send(`${path}${search}`, method, body);
    const answer = parsed(await this.#textOf(response));
    if (response.ok && answer !== undefined) return answer as T;
    throw refused({
      status: response.status,
      code: textOf(answer?.['code']),
      detail: textOf(answer?.['detail']) ?? `The answer is no JSON; status ${response.status}`,
      requestId: textOf(answer?.['request_id']),
    });
  }

  async #send(path: string, method: string, body: unknown): Promise<Response> {
    const { base, token, deadlineMs } = this.#connection;
    try {
      return await fetch(`${base}${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: 'error',
        signal: AbortSignal.timeout(deadlineMs),
        headers: {
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...(token === undefined ? {} : { 'X-API-Token': token }),
        },
      });
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  async #textOf(response: Response): Promise<string> {
    try {
      return await response.text();
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  #unreachable(error: unknown): CommandFailure {
    const { base, deadlineMs } = this.#connection;
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    const why = isLate ? `no answer in ${deadlineMs / 1000} s` : reasonOf(error);
    return new CommandFailure(`Cannot reach ${base}: ${why}`, EXIT.unreachable);
  }
}

type Answer = Readonly<Record<string, unknown>>;

function parsed(text: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Answer) : undefined;
  } catch {
    return undefined; // What answers there is no Penstock, or stands before one.
  }
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** `fetch` says only that it failed; what failed is in the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && 'code' in cause) return String(cause.code);
  return cause instanceof Error ? cause.message : 'the request failed';
}
