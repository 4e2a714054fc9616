import type { AppDeps } from '#api/deps';
import type { AddResource } from '#api/http/resource';
import { presentBanner, presentHealth, presentInfo } from '#api/presenters/service.presenter';

type Deps = Pick<AppDeps, 'streams' | 'about' | 'settings' | 'readiness' | 'transcoding'>;

/** What this service is, how it does, and what it is made of. */
export function serviceRoutes(resource: AddResource, deps: Deps): void {
  const { streams, about, settings, readiness } = deps;
  resource('/', { get: (_req, res) => res.json(presentBanner(about, streams.totals())) });
  resource('/health', {
    get: (_req, res) =>
      res.json(
        presentHealth({ about, settings, totals: streams.totals(), readiness: readiness() }),
      ),
  });
  resource('/info', {
    get: async (_req, res) => {
      const { board, profiles } = deps.transcoding;
      const [workers, own] = await Promise.all([
        board.list().catch(() => []),
        profiles.list().catch(() => []),
      ]);
      res.json(presentInfo({ about, settings, readiness: readiness(), workers, own }));
    },
  });
}

/**
 * Whether the process lives, for whoever asks. It answers 200 also while Redis is away: running
 * streams go on then, and a restart would end them.
 */
export function livenessRoutes(
  resource: AddResource,
  { readiness }: Pick<AppDeps, 'readiness'>,
): void {
  resource('/healthz', {
    get: (_req, res) => res.json({ status: 'ok', redis: readiness().redis }),
    // Some health checks of containers ask this way.
    head: (_req, res) => res.end(),
  });
}
