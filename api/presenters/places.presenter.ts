import type { AccountUse } from '#upstream';
import type { ProviderPlaces } from '#api/deps';
import { isoTime } from './iso-time.ts';

/** Why the account of a stream's source has no place, or how many it has left. */
export const presentPlaces = (use: AccountUse | undefined) =>
  use === undefined
    ? null
    : {
        limit: use.maxOpen,
        waiting: use.waiting,
        held: use.holders.map(({ node, use: why, streamId, sinceMs }) => ({
          use: why,
          stream_id: streamId === '' ? null : streamId,
          process: node === '' ? null : node,
          held_since: isoTime(sinceMs),
        })),
      };

/** Of an account its host is told; user names are secrets. */
export const presentHeld = (held: ReturnType<ProviderPlaces['held']>) =>
  held.map(({ account, use, streamId, sinceMs }) => ({
    host: account.split(' ', 1)[0] ?? '',
    use,
    stream_id: streamId === '' ? null : streamId,
    held_since: isoTime(sinceMs),
  }));
