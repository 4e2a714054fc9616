import type { Router } from 'express';
import { broadcastPlayback } from '#api/routes/broadcast.routes';
import { dashRoutes } from '#api/routes/dash.routes';
import { hlsRoutes } from '#api/routes/hls.routes';
import { playbackRoutes } from '#api/routes/playback.routes';
import { noNetworks } from './fake-networks.ts';

const unused = (): void => {};

/** The routers for players as they are mounted, over nothing: to look at, not to play from. */
export const playbackRouters = (): readonly Router[] => [
  playbackRoutes({} as Parameters<typeof playbackRoutes>[0]),
  broadcastPlayback(noNetworks()),
  dashRoutes({ playlist: unused, segment: unused }),
  hlsRoutes({ playlist: unused, segment: unused }),
];
