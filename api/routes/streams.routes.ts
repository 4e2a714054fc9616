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
import { presentRun } from '#api/presenters/transcode.presenter';
import { presentViewer } from '#api/presenters/viewer.presenter';
import { activityOf } from '#api/schemas/filter.schema';
import { postedStream } from '#api/schemas/stream.schema';

type Deps = Pick<AppDeps, 'streams' | 'transcoding'>;

/** Streams one by one: create, list, read, stop, fail over. */
export function streamRoutes(resource: AddResource, { streams, transcoding }: Deps): void {
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
      res.json({ streams: listed.map(presentStream), total: listed.length });
    },
  });

  resource('/streams/:stream_id', {
    get: async (req, res) => {
      const id = streamIdIn(req);
      const stream = await streams.get(id);
      streams.touch(id);
      const viewers = streams.viewers(id);
      res.json({
        stream: presentStream(stream),
        failover_history: stream.switches.map(presentSwitch),
        transcode_runs: transcoding.runsOf(id).map(presentRun),
        clients: viewers.map(presentViewer),
        client_count: viewers.length,
      });
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
