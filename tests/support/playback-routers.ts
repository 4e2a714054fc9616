import type { Router } from 'express';
import { hlsRoutes } from '#api/routes/hls.routes';
import { playbackRoutes } from '#api/routes/playback.routes';

const unused = (): void => {};

/** The routers for players as they are mounted, over nothing: to look at, not to play from. */
export const playbackRouters = (): readonly Router[] => [
  playbackRoutes({} as Parameters<typeof playbackRoutes>[0]),
  hlsRoutes({ playlist: unused, segment: unused }),
];
