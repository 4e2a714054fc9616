import { codeOf } from '#kernel/app-error';
import { asClientId } from '#kernel/ids';
import type { StreamId } from '#kernel/ids';
import type { Removal, StreamSnapshot, Streams } from '#streams';
import type { Clearing } from '#api/schemas/filter.schema';
import { isExcluded, oldest, removable } from './by-metadata.ts';

export type Skipped = {
  readonly id: StreamId;
  readonly reason: 'excluded_by_channel_id' | 'has_active_clients';
  readonly viewerCount?: number;
};

export type Cleared = {
  readonly removed: readonly StreamId[];
  readonly skipped: readonly Skipped[];
};

/** Streams looked at or removed at the same time; each is a request to the store. */
const AT_ONCE = 32;

/**
 * Removes the streams that match, but the excluded channel's and, unless forced, those that
 * somebody else than `clientId` watches. That viewer is cut in any case.
 *
 * @throws DependencyError `STORE_UNAVAILABLE`; what was removed before stays removed.
 */
export async function clearMatching(streams: Streams, clearing: Clearing): Promise<Cleared> {
  const matches = removable(streams.list(), clearing);
  const reasons = await inBatches(matches, (stream) => reasonToSkip(streams, stream, clearing));
  const skipped = reasons.filter((reason) => reason !== undefined);
  const spared = new Set(skipped.map(({ id }) => id));
  const doomed = matches.map(({ definition }) => definition.id).filter((id) => !spared.has(id));
  const removed = await removeAll(streams, doomed, {
    reason: 'metadata_filter_deletion',
    filter: { field: clearing.field, value: clearing.value },
  });
  return { removed, skipped };
}

async function reasonToSkip(
  streams: Streams,
  stream: StreamSnapshot,
  { excludeChannelId, force, clientId }: Clearing,
): Promise<Skipped | undefined> {
  const { id } = stream.definition;
  if (isExcluded(stream, excludeChannelId)) return { id, reason: 'excluded_by_channel_id' };
  if (force) return undefined;
  if (clientId !== undefined) await streams.dismiss(asClientId(clientId), id);
  const viewers = [...streams.viewers(id), ...(await streams.viewersElsewhere(id))];
  const others = new Set(viewers.map((viewer) => viewer.clientId).filter((at) => at !== clientId));
  if (others.size === 0) return undefined;
  return { id, reason: 'has_active_clients', viewerCount: others.size };
}

async function removeAll(
  streams: Streams,
  ids: readonly StreamId[],
  removal: Removal,
): Promise<readonly StreamId[]> {
  const done = await inBatches(ids, (id) => removeKnown(streams, id, removal));
  return ids.filter((_id, index) => done[index]);
}

/** What `work` gives for each, in order. */
async function inBatches<Item, Done>(
  items: readonly Item[],
  work: (item: Item) => Promise<Done>,
): Promise<readonly Done[]> {
  const done: Done[] = [];
  for (let from = 0; from < items.length; from += AT_ONCE) {
    done.push(...(await Promise.all(items.slice(from, from + AT_ONCE).map(work))));
  }
  return done;
}

/** False when somebody else has removed it meanwhile. */
async function removeKnown(streams: Streams, id: StreamId, removal: Removal): Promise<boolean> {
  try {
    await streams.remove(id, removal);
    return true;
  } catch (error) {
    if (codeOf(error) === 'STREAM_NOT_FOUND') return false;
    throw error;
  }
}

export type OldestCleared = { readonly id: StreamId; readonly ageMs: number };

/**
 * Removes the oldest stream that matches, as {@link oldest} has it; `undefined` when none does.
 * @throws DependencyError `STORE_UNAVAILABLE`
 */
export async function clearOldest(
  streams: Streams,
  { field, value, excludeChannelId }: Clearing,
  nowMs: number,
): Promise<OldestCleared | undefined> {
  const matches = removable(streams.list(), { field, value });
  const found = oldest(matches.filter((stream) => !isExcluded(stream, excludeChannelId)));
  if (found === undefined) return undefined;
  const { id, createdAtMs } = found.definition;
  const isRemoved = await removeKnown(streams, id, {
    reason: 'oldest_stream_deletion',
    filter: { field, value },
  });
  return isRemoved ? { id, ageMs: Math.max(0, nowMs - createdAtMs) } : undefined;
}
