import type { StreamDirectory } from '#streams';
import { CONNECTION_USES } from '#upstream';
import type { ConnectionLedger } from '#upstream';
import type { ProviderPlaces } from './deps.ts';

/** Answers why a provider has no place for a stream. */
export const placesOf = (
  directory: StreamDirectory,
  ledger: Pick<ConnectionLedger, 'useOf' | 'held'>,
): ProviderPlaces => ({
  ofStream: async (id) => ledger.useOf((await directory.open(id)).walk().current.headers),
  held: () => ledger.held(),
});

/** How many places there are for each use. */
export const countsOf = (held: ReturnType<ProviderPlaces['held']>): Record<string, number> =>
  Object.fromEntries(
    CONNECTION_USES.map((use) => [use, held.filter((one) => one.use === use).length]),
  );
