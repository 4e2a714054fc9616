import type { StreamSnapshot } from '#streams';
import type { Counting, Listing, MetadataFilter } from '#api/schemas/filter.schema';

const valueOf = ({ definition }: StreamSnapshot, field: string): string | undefined =>
  Object.hasOwn(definition.metadata, field) ? definition.metadata[field] : undefined;

const isWatched = ({ viewerCount }: StreamSnapshot): boolean => viewerCount > 0;

/** Streams for a listing: one that lacks the field has `""` there. */
export const listed = (
  streams: readonly StreamSnapshot[],
  { field, value, activeOnly }: Listing,
): readonly StreamSnapshot[] =>
  streams.filter(
    (stream) => (valueOf(stream, field) ?? '') === value && (!activeOnly || isWatched(stream)),
  );

/** How many streams have each of the values; each that was asked for is there. */
export function counted(
  streams: readonly StreamSnapshot[],
  { field, values, activeOnly }: Counting,
): Readonly<Record<string, number>> {
  const counts = new Map(values.map((value) => [value, 0]));
  for (const stream of streams) {
    const value = valueOf(stream, field) ?? '';
    const count = counts.get(value);
    if (count !== undefined && (!activeOnly || isWatched(stream))) counts.set(value, count + 1);
  }
  return Object.fromEntries(counts);
}

/** Streams that may be removed for a filter: they must have the field. */
export const removable = (
  streams: readonly StreamSnapshot[],
  { field, value }: MetadataFilter,
): readonly StreamSnapshot[] => streams.filter((stream) => valueOf(stream, field) === value);

/** Whether a stream is the one channel that is to be spared. */
export const isExcluded = (stream: StreamSnapshot, channelId: string | undefined): boolean =>
  channelId !== undefined && valueOf(stream, 'id') === channelId;

/**
 * The stream that has been there longest, among those that count: the watched ones. Only when
 * none is watched, among all.
 */
export function oldest(streams: readonly StreamSnapshot[]): StreamSnapshot | undefined {
  const watched = streams.filter(isWatched);
  const candidates = watched.length > 0 ? watched : streams;
  return candidates.reduce<StreamSnapshot | undefined>(
    (first, stream) => (first === undefined || isOlder(stream, first) ? stream : first),
    undefined,
  );
}

const isOlder = (a: StreamSnapshot, b: StreamSnapshot): boolean =>
  a.definition.createdAtMs < b.definition.createdAtMs;
