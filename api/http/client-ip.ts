import { isIP } from 'node:net';
import type { Request } from 'express';
import { passedOnBy } from './peer-request.ts';

const MAPPED_V4 = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i;

/**
 * Who sent the request: the nearest address that is not a trusted proxy's (`trust proxy`), so a
 * viewer cannot choose its own. What a proxy forwarded and is no address counts as not forwarded.
 */
export function clientIp(req: Request): string {
  const passedOn = passedOnBy(req);
  if (passedOn) return passedOn.ipAddress;
  const forwarded = req.ip ?? '';
  const address = isIP(forwarded) === 0 ? (req.socket.remoteAddress ?? '') : forwarded;
  return address === '' ? 'unknown' : address.replace(MAPPED_V4, '');
}
