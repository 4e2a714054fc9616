import type { Request, RequestHandler } from 'express';
import { NotAllowedError } from '#kernel/app-error';
import { secretCheck } from '#kernel/secret-check';
import { queryText } from '#api/http/query';

/**
 * Lets a request pass that carries the management token; every request where none is configured.
 *
 * Looked for in `X-API-Token`, then `Authorization: Bearer`, then `?api_token=`; the first that is
 * not empty counts, also when it is wrong.
 */
export function authenticate(apiToken: string | undefined): RequestHandler {
  if (apiToken === undefined) return (_req, _res, next) => next();
  const isToken = secretCheck(apiToken);
  return (req, res, next) => {
    const given = tokenOf(req);
    if (given !== undefined && isToken(given)) return next();
    res.set('WWW-Authenticate', 'Bearer');
    throw given === undefined ? tokenMissing() : tokenWrong();
  };
}

function tokenOf(req: Request): string | undefined {
  const bearer = /^bearer +(.+)$/i.exec(req.get('authorization') ?? '')?.[1];
  const candidates = [req.get('x-api-token'), bearer, queryText(req, 'api_token')];
  return candidates.find((token) => token !== undefined && token !== '');
}

const tokenMissing = (): NotAllowedError =>
  new NotAllowedError('AUTH_REQUIRED', {
    message:
      'API token required: send it as X-API-Token, as Authorization: Bearer or as api_token in the query.',
  });

const tokenWrong = (): NotAllowedError =>
  new NotAllowedError('AUTH_FORBIDDEN', { message: 'Invalid API token.' });
