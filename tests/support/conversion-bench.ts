import { randomBytes } from 'node:crypto';
import { Router } from 'express';
import { hlsHandlers, hlsRoutes } from '#api/routes/hls.routes';
import { playbackRoutes } from '#api/routes/playback.routes';
import { HlsDelivery, HlsOutput, PackagedDelivery } from '#delivery';
import type { VodDelivery } from '#delivery';
import { systemClock, systemTimers } from '#kernel/clock';
import { silentLogger } from '#kernel/logger';
import { SegmentStore } from '#segments';
import { createTextClient } from '../../services/adapters/http/text-client.ts';
import { startPlayback } from './playback-bench.ts';
import type { Collaborators, PlaybackOptions } from './playback-bench.ts';

export type ConversionOptions = Omit<PlaybackOptions, 'routes'> & {
  readonly segmentMs?: number | undefined;
  readonly viewerIdleMs?: number | undefined;
  readonly lookAhead?: number | undefined;
};

/** `/stream` and `/hls` of one process, each in the form that was asked for. */
export const startConversion = ({
  segmentMs,
  viewerIdleMs,
  lookAhead,
  ...rest
}: ConversionOptions = {}) =>
  startPlayback({
    converts: 'all',
    ...rest,
    routes: (deps) =>
      Router()
        .use(playbackRoutes({ ...deps, vod: {} as VodDelivery }))
        .use(
          hlsRoutes(hlsHandlers({ hls: outputOf(deps, { segmentMs, viewerIdleMs, lookAhead }) })),
        ),
  });

function outputOf(
  { directory, upstream, live }: Collaborators,
  {
    segmentMs = 1_000,
    viewerIdleMs = 5_000,
    lookAhead = 0,
  }: Pick<ConversionOptions, 'segmentMs' | 'viewerIdleMs' | 'lookAhead'>,
): HlsOutput {
  const common = {
    directory,
    secret: randomBytes(32),
    viewerIdleMs,
    patienceMs: 5_000,
    clock: systemClock,
    timers: systemTimers,
  };
  const packaged = new PackagedDelivery({
    ...common,
    tap: (stream, walkOf) => live.tap(stream, walkOf),
    segmentMs,
    segmentBytes: 16 * 1024 * 1024,
  });
  const rewritten = new HlsDelivery({
    ...common,
    packaged,
    upstream,
    texts: createTextClient({ allowPrivate: true, verifyTls: true, maxRedirects: 5 }),
    timeouts: { connectMs: 1000, headersMs: 3000 },
    maxPlaylistBytes: 1024 * 1024,
    store: new SegmentStore({
      memoryBytes: 16 * 1024 * 1024,
      clock: systemClock,
      timers: systemTimers,
    }),
    lookAhead,
    lowLatency: 'honour',
    logger: silentLogger,
  });
  return new HlsOutput({ directory, rewritten, packaged });
}
