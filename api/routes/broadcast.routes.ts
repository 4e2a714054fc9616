import { Router } from 'express';
import type { Request, RequestHandler } from 'express';
import { NotFoundError } from '#kernel/app-error';
import { PLAYLIST, SUBTITLE_PLAYLIST, networkIdOf } from '#networks';
import type { NetworkId } from '#networks';
import type { AppDeps, NetworkDeps } from '#api/deps';
import { resourcesOn } from '#api/http/resource';
import type { AddResource } from '#api/http/resource';
import { sendNetworkFile } from '#api/http/network-file';
import { jsonBody } from '#api/middleware/json-body';
import {
  presentNetwork,
  presentNetworks,
  presentStopped,
} from '#api/presenters/broadcast.presenter';
import { postedStart, usualFolders } from '#api/schemas/broadcast.schema';

type Deps = Pick<AppDeps, 'networks' | 'logger'>;

/** Networks and recordings: what apps order. */
export function broadcastRoutes(resource: AddResource, { networks: deps, logger }: Deps): void {
  const { networks, folders } = deps;
  resource('/broadcast', {
    get: async (_req, res) => void res.json(presentNetworks(await networks.list())),
  });

  resource('/broadcast/:network_id/start', {
    post: [
      jsonBody,
      async (req, res) => {
        const posted = postedStart(req.params['network_id'], req.body, folders);
        const { request, ignoredNext } = posted;
        if (ignoredNext !== null) {
          logger.warn('next programme left out', { networkId: request.id, why: ignoredNext });
        }
        res.json(presentNetwork(await networks.start(request)));
      },
    ],
  });

  resource('/broadcast/:network_id/stop', {
    post: async (req, res) => void res.json(presentStopped(await networks.stop(knownId(req)))),
  });

  resource('/broadcast/:network_id/status', {
    get: async (req, res) => void res.json(presentNetwork(await networks.find(knownId(req)))),
  });

  resource('/broadcast/:network_id', {
    delete: async (req, res) => {
      const id = networkIdOf(req.params['network_id']);
      if (id !== undefined) await networks.remove(id, usualFolders(id, folders));
      res.json({ message: 'Broadcast removed' });
    },
  });
}

/**
 * For players, without a token: what the lines of a playlist lead to from where it lies, and the
 * same under `segment/`, where apps that rewrite playlists ask for it.
 */
export function broadcastPlayback(deps: NetworkDeps): Router {
  const router = Router({ caseSensitive: true });
  const resource = resourcesOn(router);
  const serve = (nameIn: (req: Request) => string): RequestHandler => {
    return async (req, res) => {
      const id = networkIdOf(req.params['network_id']);
      await sendNetworkFile(deps, { id, name: nameIn(req) }, { req, res });
    };
  };
  for (const name of [PLAYLIST, SUBTITLE_PLAYLIST]) {
    resource(`/broadcast/:network_id/${name}`, { get: serve(() => name) });
  }
  for (const kind of ['ts', 'vtt']) {
    const nameIn = (req: Request): string => `${String(req.params['segment'])}.${kind}`;
    resource(`/broadcast/:network_id/:segment.${kind}`, { get: serve(nameIn) });
  }
  resource('/broadcast/:network_id/segment/:file', { get: serve(fileIn) });
  return router;
}

/** What cannot be an id is the id of none. */
function knownId(req: Request): NetworkId {
  const id = networkIdOf(req.params['network_id']);
  if (id === undefined) throw new NotFoundError('NETWORK_NOT_FOUND', { message: NOT_FOUND });
  return id;
}

const NOT_FOUND = 'Broadcast not found';

const fileIn = (req: Request): string => String(req.params['file']);
