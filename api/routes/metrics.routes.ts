import type { AppDeps } from '#api/deps';
import type { AddResource } from '#api/http/resource';

/** What this process counts, for Prometheus. */
export function metricsRoutes(resource: AddResource, { metrics }: Pick<AppDeps, 'metrics'>): void {
  resource('/metrics', {
    get: async (_req, res) => {
      const text = await metrics.text();
      res.setHeader('Content-Type', metrics.contentType);
      res.end(text);
    },
  });
}
