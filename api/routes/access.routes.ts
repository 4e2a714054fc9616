import type { AppDeps } from '#api/deps';
import type { AddResource } from '#api/http/resource';
import { streamIdIn } from '#api/http/stream-id';
import { jsonBody } from '#api/middleware/json-body';
import { presentKey, presentLink, presentMadeKey } from '#api/presenters/access.presenter';
import { postedKey, postedLink } from '#api/schemas/access.schema';

/** Who may watch: signed links, stream keys, and the secret behind them. */
export function accessRoutes(
  resource: AddResource,
  { access, streams }: Pick<AppDeps, 'access' | 'streams'>,
): void {
  resource('/streams/:stream_id/links', {
    post: [
      jsonBody,
      async (req, res) => {
        const wish = postedLink(req.body ?? {});
        const { definition } = await streams.get(streamIdIn(req));
        res.json(presentLink(definition.id, access.mint(definition.id, wish)));
      },
    ],
  });

  resource('/access/keys', {
    get: (_req, res) => {
      res.json({ keys: access.keys.list().map(presentKey) });
    },
    post: [
      jsonBody,
      async (req, res) => {
        res.json(presentMadeKey(await access.keys.add(postedKey(req.body ?? {}))));
      },
    ],
  });

  resource('/access/keys/:key_id', {
    delete: async (req, res) => {
      await access.keys.remove(String(req.params['key_id']));
      res.json({ message: 'Stream key revoked' });
    },
  });

  resource('/access/secret/rotate', {
    post: async (_req, res) => {
      await access.rotateSecret();
      res.json({ message: 'Secret rotated' });
    },
  });
}
