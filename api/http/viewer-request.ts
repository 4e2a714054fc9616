import type { Request } from 'express';
import { InvalidInputError } from '#kernel/app-error';
import { asClientId } from '#kernel/ids';
import type { ClientId } from '#kernel/ids';
import type { ViewerRequest } from '#streams';
import { clientIp } from './client-ip.ts';
import { queryText } from './query.ts';

/** Fits a header and a log line: it travels in both. */
const CLIENT_ID = /^[\x20-\x7e]{1,128}$/;
const MAX_USER_AGENT_LENGTH = 512;
const MAX_USERNAME_LENGTH = 128;

/**
 * Who asks to watch, from a delivery request. Only `client_id` can be refused: it is an address
 * that an app will use later. What merely describes the viewer is cut to its bound instead.
 *
 * @throws InvalidInputError `INPUT_INVALID` for a `client_id` of more than 128 characters, or with
 *   others than printable ASCII.
 */
export function viewerRequestOf(req: Request): ViewerRequest {
  const clientId = clientIdOf(req);
  const username = usernameOf(req);
  return {
    ipAddress: clientIp(req),
    userAgent: printable(req.get('user-agent'), MAX_USER_AGENT_LENGTH) ?? 'unknown',
    ...(clientId === undefined ? {} : { clientId }),
    ...(username === undefined ? {} : { username }),
  };
}

function clientIdOf(req: Request): ClientId | undefined {
  const given = queryText(req, 'client_id') ?? '';
  if (given === '') return undefined;
  if (CLIENT_ID.test(given)) return asClientId(given);
  throw new InvalidInputError('INPUT_INVALID', {
    message: 'client_id: must be 1 to 128 printable ASCII characters',
  });
}

function usernameOf(req: Request): string | undefined {
  const candidates = [req.get('x-username'), ...USERNAME_QUERY.map((name) => queryText(req, name))];
  return candidates
    .map((text) => printable(text, MAX_USERNAME_LENGTH))
    .find((name) => name !== undefined);
}

const USERNAME_QUERY = ['username', 'user', 'u'];

const PLAIN = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

function printable(text: string | undefined, maxLength: number): string | undefined {
  if (text !== undefined && text.length <= maxLength && PLAIN.test(text)) return text;
  const kept = text
    ?.replaceAll(/[\p{Cc}\p{Cs}]/gu, '')
    .trim()
    .slice(0, maxLength);
  return kept === '' ? undefined : kept;
}
