import type { Redis } from 'ioredis';
import type { ClientId, NodeEpoch, StreamId } from '#kernel/ids';
import type { PeerViewer, PeerViewers } from '#streams';
import type { ChangeFeed } from './change-feed.ts';
import { noteText } from './encode-change.ts';
import { keysOf } from './keys.ts';
import { pairsOf } from './pairs.ts';

export type PeerViewersOptions = {
  /** A connection for `commands`; stays the caller's. */
  readonly redis: Redis;
  readonly prefix: string;
  readonly changes: ChangeFeed;
  /** This process. */
  readonly node: NodeEpoch;
};

type OnRecord = {
  readonly streamId: StreamId;
  readonly node: NodeEpoch;
  readonly clientId?: ClientId;
};

const SCAN_COUNT = 1_000;

/** The viewers of other api processes, by the record that all of them keep in Redis. */
export function redisPeerViewers(options: PeerViewersOptions): PeerViewers {
  const { redis, prefix, changes, node } = options;
  const keys = keysOf(prefix);
  return {
    async ofStream(id) {
      const sessions = await redis.smembers(keys.watching + id).catch(() => []);
      if (sessions.length === 0) return [];
      const texts = await redis.hmget(keys.viewers, ...sessions).catch(() => []);
      return texts.flatMap((text) => atPeer(text, node));
    },
    async named(clientId) {
      const found: PeerViewer[] = [];
      try {
        for await (const texts of pagesOf(redis, keys.viewers)) {
          const viewers = texts.flatMap((text) => atPeer(text, node));
          found.push(...viewers.filter((viewer) => viewer.clientId === clientId));
        }
      } catch {
        // The store is away: what was found before that is still true.
      }
      return found;
    },
    async end({ streamId, clientId }, isRefused) {
      const told = noteText({ kind: 'viewer', id: streamId, clientId, isRefused, from: node });
      return redis.publish(keys.changes, told).then(
        () => true,
        () => false,
      );
    },
    onEnd(listener) {
      changes.listen({ viewer: listener });
    },
  };
}

async function* pagesOf(redis: Redis, key: string): AsyncGenerator<readonly string[]> {
  let cursor = '0';
  do {
    const [next, flat] = await redis.hscan(key, cursor, 'COUNT', SCAN_COUNT);
    yield pairsOf(flat).map(([, text]) => text);
    cursor = next;
  } while (cursor !== '0');
}

function atPeer(text: string | null, own: NodeEpoch): readonly PeerViewer[] {
  if (text === null) return [];
  const { streamId, clientId, node } = JSON.parse(text) as OnRecord;
  return clientId === undefined || node === own ? [] : [{ streamId, clientId }];
}
