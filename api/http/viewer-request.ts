import type { Express, Request } from 'express';
import type { Admission, Credentials, ViewerGate } from '#access';
import { InvalidInputError } from '#kernel/app-error';
import { asClientId } from '#kernel/ids';
import type { ClientId } from '#kernel/ids';
import type { ViewerRequest } from '#streams';
import { clientIp } from './client-ip.ts';
import { credentialsOf } from './credentials.ts';
import { queryText } from './query.ts';
import { streamIdIn } from './stream-id.ts';

/** Fits a header and a log line: it travels in both. */
const CLIENT_ID = /^[\x20-\x7e]{1,128}$/;
const MAX_USER_AGENT_LENGTH = 512;
const MAX_USERNAME_LENGTH = 128;

const GATE = 'viewer gate';

/** From now on viewers of this app have to pass this gate; without one, everybody may watch. */
export const putGate = (app: Express, gate: ViewerGate): void => void app.set(GATE, gate);

/**
 * Who asks to watch, from a delivery request, once it has been let in. Only `client_id` can be refused: it is an address
 * that an app will use later. What merely describes the viewer is cut to its bound instead.
 *
 * @throws InvalidInputError `INPUT_INVALID` for a `client_id` of more than 128 characters, or with
 *   others than printable ASCII.
 * @throws NotAllowedError as {@link ViewerGate.admit}
 * @throws NotFoundError `STREAM_NOT_FOUND` for what cannot be the id of a stream.
 */
export function viewerRequestOf(req: Request): ViewerRequest {
  const clientId = clientIdOf(req);
  const ipAddress = clientIp(req);
  const userAgent = printable(req.get('user-agent'), MAX_USER_AGENT_LENGTH) ?? 'unknown';
  const admitted = admittedBy(req, { address: ipAddress, userAgent, clientId });
  const username = admitted?.username ?? usernameOf(req);
  return {
    ipAddress,
    userAgent,
    ...(clientId === undefined ? {} : { clientId }),
    ...(username === undefined ? {} : { username }),
    ...(admitted && { grant: admitted.grant, passFor: admitted.passFor }),
  };
}

function admittedBy(
  req: Request,
  who: Pick<Credentials, 'address' | 'userAgent' | 'clientId'>,
): (Admission & Required<Pick<ViewerRequest, 'passFor'>>) | undefined {
  const gate = req.app.get(GATE) as ViewerGate | undefined;
  if (gate === undefined) return undefined;
  const streamId = streamIdIn(req);
  const admission = gate.admit(credentialsOf(req, { ...who, streamId }));
  const passFor = (clientId: ClientId): string =>
    `&s=${gate.passFor(streamId, clientId, admission.grant)}`;
  return { ...admission, passFor };
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
