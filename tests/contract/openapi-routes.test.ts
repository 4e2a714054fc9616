import { Router } from 'express';
import { describe, expect, it } from 'vitest';
import packageInfo from '#package' with { type: 'json' };
import { createApp } from '#api/app';
import { apiDocument, operations } from '../support/api-contract.ts';
import { appDeps, startApi } from '../support/api-under-test.ts';
import { playbackRouters } from '../support/playback-routers.ts';

type Layer = {
  readonly route?: { readonly path: string | readonly string[] };
  readonly handle: { readonly stack?: readonly Layer[] };
};

/** Every path that a router answers, as `openapi.yaml` writes it. */
function pathsOf(stack: readonly Layer[]): readonly string[] {
  return stack.flatMap(({ route, handle }) => {
    if (typeof route?.path === 'string') return [inBraces(route.path)];
    return pathsOf(handle.stack ?? []);
  });
}

const inBraces = (path: string): string => path.replaceAll(/:(\w+)|\{\*(\w+)\}/g, '{$1$2}');

const inDocument = operations.map(({ method, path }) => `${method} ${path}`).toSorted();

describe('openapi.yaml and the routes', () => {
  it('have the same paths with the same methods', async () => {
    const delivery = playbackRouters();
    const stack = (createApp(appDeps({ delivery })).router as { stack: readonly Layer[] }).stack;
    await using api = await startApi({ delivery });
    const mounted: string[] = [];
    for (const path of new Set(pathsOf(stack))) {
      const { headers } = await api.call('OPTIONS', path);
      const methods = headers.get('allow')?.split(', ') ?? ['(any)'];
      mounted.push(...methods.map((method) => `${method} ${path}`));
    }
    expect(mounted.toSorted()).toEqual(inDocument);
  });

  it('would be told apart by a route that is not described', () => {
    const undescribed = Router().get('/secret/:id', (_req, res) => void res.end());
    const app = createApp(appDeps({ delivery: [undescribed] }));
    expect(pathsOf((app.router as { stack: readonly Layer[] }).stack)).toContain('/secret/{id}');
  });
});

describe('openapi.yaml', () => {
  it('is of the version that the package is', () => {
    expect(apiDocument['info']).toMatchObject({ version: packageInfo.version });
  });
});

describe('every operation', () => {
  it('has an id of its own, and needs a token unless it says otherwise', () => {
    const ids = operations.map(({ node }) => node['operationId']);
    expect(new Set(ids).size).toBe(ids.length);
    const open = operations.filter(({ node }) => node['security'] !== undefined);
    const openPaths = [...new Set(open.map(({ path }) => path))];
    expect(openPaths.toSorted()).toEqual([
      '/broadcast/{network_id}/live.m3u8',
      '/broadcast/{network_id}/live_vtt.m3u8',
      '/broadcast/{network_id}/segment/{file}',
      '/broadcast/{network_id}/{segment}.ts',
      '/broadcast/{network_id}/{segment}.vtt',
      '/dash/{stream_id}/file',
      '/dash/{stream_id}/manifest.mpd',
      '/dash/{stream_id}/segment/{base}/{path}',
      '/docs',
      '/favicon.ico',
      '/healthz',
      '/hls/{stream_id}/playlist.m3u8',
      '/hls/{stream_id}/segment',
      '/hls/{stream_id}/segment.m4s',
      '/hls/{stream_id}/segment.mp4',
      '/hls/{stream_id}/segment.ts',
      '/openapi.json',
      '/redoc',
      '/stream/{stream_id}',
    ]);
  });
});
