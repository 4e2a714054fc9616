import type { AppDeps } from '#api/deps';
import type { AddResource } from '#api/http/resource';
import {
  presentCleared,
  presentListing,
  presentOldestCleared,
} from '#api/presenters/by-metadata.presenter';
import { clearingOf, countingOf, listingOf } from '#api/schemas/filter.schema';
import { counted, listed } from '#api/selection/by-metadata';
import { clearMatching, clearOldest } from '#api/selection/clearing';

/** Streams by what their apps say of them: list, count, stop. */
export function byMetadataRoutes(
  resource: AddResource,
  { streams, clock }: Pick<AppDeps, 'streams' | 'clock'>,
): void {
  resource('/streams/by-metadata', {
    get: (req, res) => {
      const listing = listingOf(req);
      res.json(presentListing(listing, listed(streams.list(), listing)));
    },
    delete: async (req, res) => {
      const clearing = clearingOf(req);
      res.json(presentCleared(await clearMatching(streams, clearing)));
    },
  });

  resource('/streams/counts-by-metadata', {
    get: (req, res) => {
      const counting = countingOf(req);
      res.json({ field: counting.field, counts: counted(streams.list(), counting) });
    },
  });

  resource('/streams/oldest-by-metadata', {
    delete: async (req, res) => {
      const clearing = clearingOf(req);
      const cleared = await clearOldest(streams, clearing, clock.nowMs());
      res.json(presentOldestCleared(cleared));
    },
  });
}
