import type { AppDeps } from '#api/deps';
import type { AddResource } from '#api/http/resource';
import { asClientId, asStreamId } from '#kernel/ids';
import { presentViewers } from '#api/presenters/viewer.presenter';

/** Who watches, and how to end that. */
export function viewerRoutes(
  resource: AddResource,
  { streams, hls }: Pick<AppDeps, 'streams' | 'hls'>,
): void {
  resource('/clients', {
    get: (_req, res) => res.json(presentViewers(streams.viewers(), (id) => hls.statsOf(id))),
  });

  resource('/hls/:stream_id/clients/:client_id', {
    delete: async (req, res) => {
      const clientId = asClientId(String(req.params['client_id']));
      const streamId = asStreamId(String(req.params['stream_id']));
      // Apps of m3u-proxy may name any stream here: then it means the client, wherever it watches.
      const removed = (await streams.kick(clientId, streamId)) || (await streams.kick(clientId));
      res.json({ message: removed ? 'Client removed' : 'No such client', removed });
    },
  });
}
