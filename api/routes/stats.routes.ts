import type { AppDeps } from '#api/deps';
import type { AddResource } from '#api/http/resource';
import {
  presentDetailedStats,
  presentPerformance,
  presentStats,
} from '#api/presenters/stats.presenter';
import { presentStream } from '#api/presenters/stream.presenter';
import { presentViewers } from '#api/presenters/viewer.presenter';
import type { StatsOf } from '#api/presenters/viewer.presenter';

type Deps = Pick<AppDeps, 'streams' | 'hls' | 'clock' | 'transcoding' | 'places'>;

/** Counters and lists of this process. */
export function statsRoutes(
  resource: AddResource,
  { streams, hls, clock, places, transcoding: { runsOf } }: Deps,
): void {
  const statsOf: StatsOf = (id) => hls.statsOf(id);
  const everything = () => ({
    totals: streams.totals(),
    streams: streams.list(),
    viewers: streams.viewers(),
    statsOf,
    runsOf,
    places: places.held(),
  });
  resource('/stats', { get: (_req, res) => res.json(presentStats(everything())) });
  resource('/stats/detailed', { get: (_req, res) => res.json(presentDetailedStats(everything())) });
  resource('/stats/performance', {
    get: (_req, res) => res.json(presentPerformance(clock.nowMs())),
  });
  resource('/stats/streams', {
    get: (_req, res) => {
      const listed = streams.list();
      res.json({
        total_streams: listed.length,
        streams: listed.map((one) => presentStream(one, runsOf)),
      });
    },
  });
  resource('/stats/clients', {
    get: (_req, res) => res.json(presentViewers(streams.viewers(), statsOf)),
  });
}
