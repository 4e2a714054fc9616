import type { ErrorRequestHandler, Response } from 'express';
import { AppError, InvalidInputError, NotFoundError, toAppError } from '#kernel/app-error';
import type { Logger } from '#kernel/logger';
import { ANSWERS, problemOf } from '#api/http/problem';
import { requestIdOf } from './request-context.ts';

/**
 * Turns whatever a route threw into a problem response. Once headers are out there is no status
 * left to send: then the connection is destroyed, so that the transfer does not look complete.
 */
export const problemHandler =
  (logger: Logger): ErrorRequestHandler =>
  // oxlint-disable-next-line max-params -- Express knows error handlers by their four parameters.
  (thrown: unknown, req, res, _next) => {
    const error = fromLibrary(thrown) ?? toAppError(thrown);
    report(logger, error, requestIdOf(res));
    if (res.headersSent || req.socket.destroyed) res.destroy();
    else send(res, error);
  };

function send(res: Response, error: AppError): void {
  const { body, retryAfterSeconds } = problemOf(error, requestIdOf(res));
  for (const name of OF_THE_MEDIA) res.removeHeader(name);
  if (retryAfterSeconds !== undefined) res.set('Retry-After', String(retryAfterSeconds));
  if (error.code === 'ACCESS_REQUIRED') res.set('WWW-Authenticate', STREAM_KEY_WANTED);
  // For players, which see no bodies of errors.
  res.set('X-Proxy-Error', error.code);
  res.set('Cache-Control', 'no-store').status(body.status);
  res.type('application/problem+json').send(JSON.stringify(body));
}

/** Players that know of passwords may ask for one; the user name is of no matter. */
const STREAM_KEY_WANTED = 'Basic realm="Penstock", charset="UTF-8"';

/** A route may have described the body that it then could not send. */
const OF_THE_MEDIA = [
  'Content-Length',
  'Content-Encoding',
  'Content-Range',
  'Last-Modified',
  'ETag',
];

function report(logger: Logger, error: AppError, requestId: string): void {
  const fields = { requestId, code: error.code, ...error.details };
  if (error.code === 'INTERNAL') return logger.error('request failed', { ...fields, error });
  const level = ANSWERS[error.code].status < 500 ? 'debug' : 'warn';
  logger[level]('request refused', { ...fields, reason: error.message });
}

/** Express and its parsers throw errors that carry a status; those below 500 are the caller's. */
function fromLibrary(thrown: unknown): AppError | undefined {
  if (thrown instanceof AppError || !(thrown instanceof Error)) return undefined;
  const { status, type } = thrown as { status?: unknown; type?: unknown };
  if (typeof status !== 'number' || status < 400 || status > 499) return undefined;
  if (status === 413) return new InvalidInputError('PAYLOAD_TOO_LARGE', BODY_TOO_LARGE);
  if (status === 404) return new NotFoundError('ROUTE_NOT_FOUND', NO_SUCH_FILE);
  const message = LIBRARY_WORDS[String(type)] ?? 'The request could not be read.';
  // Without its cause: that carries the body.
  return new InvalidInputError('INPUT_INVALID', { message });
}

const BODY_TOO_LARGE = { message: 'The body is larger than 1 MiB.' };
const NO_SUCH_FILE = { message: 'There is no such file.' };
const LIBRARY_WORDS: Readonly<Record<string, string>> = {
  'entity.parse.failed': 'body: is not valid JSON',
  'encoding.unsupported': 'body: has a Content-Encoding that is not supported',
  'charset.unsupported': 'body: must be UTF-8',
};
