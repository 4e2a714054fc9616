import type { StreamSnapshot } from '#streams';
import type { AppDeps } from '#api/deps';
import type { AddResource } from '#api/http/resource';
import { streamIdIn } from '#api/http/stream-id';
import { jsonBody } from '#api/middleware/json-body';
import {
  presentCreated,
  presentFailover,
  presentStream,
  presentSwitch,
} from '#api/presenters/stream.presenter';
import { presentPlaces } from '#api/presenters/places.presenter';
import { presentRun } from '#api/presenters/transcode.presenter';
import { presentHls } from '#api/presenters/hls.presenter';
import { presentWatching } from '#api/presenters/viewer.presenter';
import { activityOf } from '#api/schemas/filter.schema';
import { postedStream } from '#api/schemas/stream.schema';

type Deps = Pick<AppDeps, 'streams' | 'hls' | 'transcoding' | 'places'>;

/** Streams one by one: create, list, read, stop, fail over. */
export function streamRoutes(resource: AddResource, deps: Deps): void {
  const { streams, hls, transcoding, places } = deps;
  const present = (stream: StreamSnapshot) => presentStream(stream, transcoding.runsOf);
  resource('/streams', {
    post: [
      jsonBody,
      async (req, res) => {
        const { input, ignoredHeaders } = postedStream(req.body);
        const outcome = await streams.create(input);
        res.json(presentCreated(outcome, ignoredHeaders));
      },
    ],
    get: (req, res) => {
      const active = activityOf(req);
      const listed = streams
        .list()
        .filter(({ viewerCount }) => active === undefined || viewerCount > 0 === active);
      res.json({ streams: listed.map(present), total: listed.length });
    },
  });

  resource('/streams/:stream_id', {
    get: async (req, res) => {
      const id = streamIdIn(req);
      const stream = await streams.get(id);
      streams.touch(id);
      const stats = hls.statsOf(id);
      const viewers = streams.viewers(id).map((viewer) => presentWatching(viewer, () => stats));
      const failover_history = stream.switches.map(presentSwitch);
      const transcode_runs = transcoding.runsOf(id).map(presentRun);
      const watched = { hls: presentHls(stats), clients: viewers, client_count: viewers.length };
      const provider_places = presentPlaces(await places.ofStream(id));
      const told = { failover_history, transcode_runs, provider_places, ...watched };
      res.json({ stream: present(stream), ...told });
    },
    delete: async (req, res) => {
      await streams.remove(streamIdIn(req), { reason: 'manual_deletion' });
      res.json({ message: 'Stream deleted' });
    },
  });

  resource('/streams/:stream_id/failover', {
    post: async (req, res) => {
      const id = streamIdIn(req);
      const outcome = await streams.failover(id);
      streams.touch(id);
      res.json(presentFailover(outcome));
    },
  });
}
