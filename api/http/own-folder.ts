import type { Request } from 'express';

const PREFIX = /^(?:\/[\w.~-]+)+$/;
const PORT = /^\d{1,5}$/;

/**
 * The absolute URL of a folder of ours as the player knows it, ending in `/`; empty when the
 * request does not tell. Proxies that are trusted say where they stand (`X-Forwarded-Proto`,
 * `-Host`, `-Port`, `-Prefix`); without a prefix of theirs it is the root path, which is answered
 * also where nobody takes it off.
 *
 * @param path - Below the prefix, with slashes at both ends.
 */
export function ownFolder(req: Request, path: string): string {
  const origin = URL.parse(`${req.protocol}://${req.host}`);
  if (origin === null) return '';
  const port = forwarded(req, 'x-forwarded-port', PORT);
  // Some proxies leave the port out of the host that they pass on.
  if (port !== undefined && origin.port === '') origin.port = port;
  const root: unknown = req.app.get('root path');
  const ownRoot = typeof root === 'string' ? root : req.baseUrl;
  const prefix = forwarded(req, 'x-forwarded-prefix', PREFIX) ?? ownRoot;
  return `${origin.origin}${prefix}${path}`;
}

function forwarded(req: Request, name: string, form: RegExp): string | undefined {
  const trusts: unknown = req.app.get('trust proxy fn');
  const isTrusted =
    typeof trusts === 'function' && trusts.call(undefined, req.socket.remoteAddress, 0) === true;
  const value = isTrusted ? req.get(name) : undefined;
  return value !== undefined && form.test(value) ? value : undefined;
}
