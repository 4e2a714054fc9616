import type { AppDeps } from '#api/deps';
import { abortedBy } from '#api/http/client-abort';
import type { AddResource } from '#api/http/resource';
import { jsonBody } from '#api/middleware/json-body';
import { presentProbe } from '#api/presenters/probe.presenter';
import { probedUrl } from '#api/schemas/probe.schema';

/** Whether this machine can reach a URL: for the button that tests an app's callback address. */
export function testConnectionRoutes(
  resource: AddResource,
  { probe }: Pick<AppDeps, 'probe'>,
): void {
  resource('/test-connection', {
    post: [
      jsonBody,
      async (req, res) => {
        const url = probedUrl(req.body);
        const gone = abortedBy(req, res);
        const result = await probe.test(url, gone);
        res.json(presentProbe(url, result));
      },
    ],
  });
}
