import type { Redis } from 'ioredis';
import type { Config } from '#config';
import { systemClock, systemTimers } from '#kernel/clock';
import type { StreamId } from '#kernel/ids';
import type { Logger } from '#kernel/logger';
import type { StreamDirectory } from '#streams';
import { RedisRunHolders } from '#adapters/redis/run-holders';
import { HlsOwners } from './internal/hls-owners.ts';
import { createPassOn } from './internal/pass-on.ts';
import { servedByOwner } from './internal/served-by-owner.ts';
import type { HlsHandlers } from './routes/hls.routes.ts';

export type OwnerParts = {
  readonly config: Config;
  /** A connection for `commands`; stays the caller's. */
  readonly redis: Redis;
  /** The key that processes of this installation know each other by. */
  readonly secret: Buffer;
  /** Where they reach this one. */
  readonly apiUrl: () => string;
  readonly registry: StreamDirectory;
  /** Told of streams that this process serves from now on. */
  readonly rewritten: { takeUp(id: StreamId): void };
  readonly logger: Logger;
};

/** Which of several api processes answers for a stream's playlists and manifests; beside an embedded Redis there is one. */
export function ownersOf({ rewritten, ...parts }: OwnerParts): {
  owned(handlers: HlsHandlers): HlsHandlers;
  close(): void;
} {
  const { config, redis, secret, apiUrl: ownUrl, registry, logger } = parts;
  const { prefix, url } = config.redis;
  if (url === undefined) return { owned: (handlers) => handlers, close: () => {} };
  const holders = new RedisRunHolders(redis, prefix, 'hlsOwners');
  const open = (id: StreamId): Promise<unknown> => registry.open(id);
  const taken = (id: StreamId): void => rewritten.takeUp(id);
  const times = { clock: systemClock, timers: systemTimers };
  const owners = new HlsOwners({ holders, ownUrl, open, taken, ...times });
  const passing = createPassOn(secret);
  return {
    owned: (handlers) => servedByOwner(handlers, { owners, passOn: passing.passOn, logger }),
    close() {
      owners.close();
      holders.close();
      passing.close();
    },
  };
}
