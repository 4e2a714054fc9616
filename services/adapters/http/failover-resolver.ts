import { UpstreamError } from '#kernel/app-error';
import type { FailoverResolver, ResolverQuestion } from '#streams';
import { axiosWhenAsked } from './axios-when-asked.ts';
import { Deadline } from './deadline.ts';
import { guardedAgents } from './guarded-lookup.ts';
import type { GuardedAgents, GuardOptions } from './guarded-lookup.ts';
import { toUpstreamFailure } from './upstream-failure.ts';

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/** Asks apps for the next source, as m3u-proxy does. */
export class AxiosFailoverResolver implements FailoverResolver {
  readonly #http: ReturnType<typeof axiosWhenAsked>;
  readonly #guarded: GuardedAgents;

  constructor(guard: GuardOptions) {
    this.#guarded = guardedAgents(guard);
    this.#http = axiosWhenAsked({
      ...this.#guarded.agents,
      proxy: false,
      maxRedirects: 0,
      maxContentLength: MAX_ANSWER_BYTES,
      responseType: 'text',
      headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
      validateStatus: () => true,
      transformResponse: (text: string) => text,
    });
  }

  async next(
    resolverUrl: string,
    question: ResolverQuestion,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const answer = await this.#ask(resolverUrl, bodyOf(question), signal);
    if (answer.status < 200 || answer.status >= 300) throw refused(answer.status);
    return nextUrlIn(answer.data);
  }

  /** Closes all connections. Idempotent. */
  close(): void {
    this.#guarded.close();
  }

  async #ask(url: string, body: string, signal: AbortSignal) {
    using deadline = new Deadline(TIMEOUT_MS, signal);
    try {
      const http = await this.#http();
      return await http.post<string>(url, body, { signal: deadline.signal });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw deadline.isOver ? tooSlow() : toUpstreamFailure(error);
    }
  }
}

const bodyOf = (question: ResolverQuestion): string =>
  JSON.stringify({
    current_url: question.currentUrl,
    metadata: question.metadata,
    current_failover_index: question.currentFailoverIndex,
    status_code: question.statusCode,
    reason: question.reason,
  });

/** Null, absent or empty means: there is none. */
function nextUrlIn(text: string): string | undefined {
  const answer = parse(text);
  if (typeof answer !== 'object' || answer === null || !('next_url' in answer)) return undefined;
  return typeof answer.next_url === 'string' && answer.next_url !== ''
    ? answer.next_url
    : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UpstreamError('UPSTREAM_PROTOCOL', {
      message: 'The failover resolver did not answer in JSON.',
      cause: (cause as Error).name, // Its text would repeat the answer.
    });
  }
}

const tooSlow = (): UpstreamError =>
  new UpstreamError('UPSTREAM_TIMEOUT', {
    message: 'The failover resolver did not answer in time.',
  });

const refused = (status: number): UpstreamError =>
  new UpstreamError('UPSTREAM_STATUS', {
    message: `The failover resolver answered ${status}.`,
    details: { status },
  });
