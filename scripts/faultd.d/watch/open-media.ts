import { request as plainRequest, type IncomingMessage } from 'node:http';
import { request as tlsRequest } from 'node:https';

const MOST_REDIRECTS = 10;

export type Opening = {
  readonly headers: Readonly<Record<string, string>>;
  /** Any certificate will do. */
  readonly isInsecure: boolean;
  readonly signal: AbortSignal;
};

/** Why there is no answer: the system's code, such as `ECONNREFUSED`, or a word of ours. */
export class NoAnswerError extends Error {
  readonly reason: string;

  constructor(reason: string, cause?: unknown) {
    super('There was no answer.', { cause });
    this.name = 'NoAnswerError';
    this.reason = reason;
  }
}

/**
 * Asks for media on a connection of its own and follows redirects.
 * @throws NoAnswerError when no head of a response comes.
 */
export async function openMedia(
  url: string,
  opening: Opening,
): Promise<{ readonly response: IncomingMessage; readonly redirects: number }> {
  let target = url;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const response = await ask(target, opening);
    const { location } = response.headers;
    const isRedirect = [301, 302, 303, 307, 308].includes(response.statusCode ?? 0);
    if (!isRedirect || location === undefined) return { response, redirects };
    response.destroy();
    target = new URL(location, target).href;
  }
  throw new NoAnswerError('redirect-loop');
}

function ask(url: string, { headers, isInsecure, signal }: Opening): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const options = { headers, signal, agent: false, rejectUnauthorized: !isInsecure };
  const request = url.startsWith('https:')
    ? tlsRequest(url, options, resolve)
    : plainRequest(url, options, resolve);
  request.on('error', (error: NodeJS.ErrnoException) => {
    reject(new NoAnswerError(signal.aborted ? 'timeout' : (error.code ?? 'protocol'), error));
  });
  request.end();
  return promise;
}
