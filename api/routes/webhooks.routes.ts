import type { AppDeps } from '#api/deps';
import type { AddResource } from '#api/http/resource';
import { jsonBody } from '#api/middleware/json-body';
import {
  presentEndpoint,
  presentRegistered,
  presentTestDelivery,
} from '#api/presenters/webhook.presenter';
import { postedWebhook, webhookUrlOf } from '#api/schemas/webhook.schema';

/** Where events go. */
export function webhookRoutes(
  resource: AddResource,
  { webhooks }: Pick<AppDeps, 'webhooks'>,
): void {
  resource('/webhooks', {
    post: [
      jsonBody,
      async (req, res) => {
        const { input, ignoredHeaders } = postedWebhook(req.body);
        res.json(presentRegistered(await webhooks.register(input), ignoredHeaders));
      },
    ],
    get: async (_req, res) => {
      const endpoints = await webhooks.list();
      res.json({ webhooks: endpoints.map(presentEndpoint) });
    },
    delete: [
      jsonBody,
      async (req, res) => {
        await webhooks.remove(webhookUrlOf(req));
        res.json({ message: 'Webhook deleted' });
      },
    ],
  });

  resource('/webhooks/test', {
    post: [
      jsonBody,
      async (req, res) => {
        res.json(presentTestDelivery(await webhooks.sendTest(webhookUrlOf(req))));
      },
    ],
  });
}
