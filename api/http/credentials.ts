import type { Request } from 'express';
import type { Credentials, LinkQuery } from '#access';
import type { StreamId } from '#kernel/ids';
import { queryText } from './query.ts';

/** What a request for media brings along to be let in. */
export function credentialsOf(
  req: Request,
  who: Pick<Credentials, 'address' | 'userAgent' | 'clientId'> & { readonly streamId: StreamId },
): Credentials {
  return {
    ...who,
    isChild: (queryText(req, 'h') ?? '') !== '',
    pass: queryText(req, 's'),
    link: linkIn(req),
    keys: keysIn(req),
  };
}

function linkIn(req: Request): LinkQuery | undefined {
  const signature = queryText(req, 'signature');
  if (signature === undefined) return undefined;
  const startBy = queryText(req, 'start_by');
  return { startBy, stopAt: queryText(req, 'stop_at'), signature };
}

/** Longer ones are no keys, and not worth a hash. */
const MAX_KEY_LENGTH = 256;

/** In the path, in the query, as a Basic password or user name, as a Bearer token. */
function keysIn(req: Request): readonly string[] {
  const candidates = [keyInPathOf(req), queryText(req, 'stream_key'), ...authorised(req)];
  return candidates.filter(
    (key) => typeof key === 'string' && key !== '' && key.length <= MAX_KEY_LENGTH,
  ) as string[];
}

/** What comes by the short cut has never had a path for one, nor `locals`. */
function keyInPathOf(req: Request): unknown {
  const locals: Readonly<Record<string, unknown>> | undefined = req.res?.locals;
  return locals?.['streamKey'];
}

function authorised(req: Request): readonly string[] {
  const [, scheme = '', value = ''] =
    /^(basic|bearer) +(\S+)$/i.exec(req.get('authorization') ?? '') ?? [];
  if (scheme.toLowerCase() !== 'basic') return [value];
  const [user = '', ...password] = Buffer.from(value, 'base64').toString().split(':');
  return password.join(':') === '' ? [user] : [password.join(':')];
}
