import { randomBytes } from 'node:crypto';
import { systemClock, systemTimers } from '#kernel/clock';
import { silentLogger } from '#kernel/logger';
import { hlsHandlers, hlsRoutes } from '#api/routes/hls.routes';
import { HlsDelivery } from '#delivery';
import { anyConnection, limitedTexts } from '#upstream';
import { SegmentStore } from '#segments';
import type { HlsDeliveryOptions } from '#delivery';
import { createTextClient } from '../../services/adapters/http/text-client.ts';
import { startPlayback } from './playback-bench.ts';
import type { PlaybackOptions } from './playback-bench.ts';

export type HlsBenchOptions = Omit<PlaybackOptions, 'routes'> & {
  readonly hls?: Partial<HlsDeliveryOptions>;
};

/** HLS routes over real sockets, with the real clients for playlists and for bytes. */
export async function startHls({ hls, ...playback }: HlsBenchOptions = {}) {
  const client = createTextClient({ allowPrivate: true, verifyTls: true, maxRedirects: 5 });
  const { allowance = anyConnection } = playback;
  const texts = limitedTexts(client, allowance);
  let delivery: HlsDelivery | undefined;
  const started = await startPlayback({
    ...playback,
    routes: ({ directory, upstream }) =>
      hlsRoutes(
        hlsHandlers({
          hls: (delivery = new HlsDelivery({
            directory,
            upstream,
            texts,
            allowance,
            store: new SegmentStore({
              memoryBytes: 64 * 1024 * 1024,
              clock: systemClock,
              timers: systemTimers,
            }),
            lookAhead: 0,
            secret: randomBytes(32),
            viewerIdleMs: 10_000,
            timeouts: { connectMs: 1000, headersMs: playback.headersMs ?? 1000 },
            maxPlaylistBytes: 4 * 1024 * 1024,
            patienceMs: 5_000,
            lowLatency: 'honour',
            clock: systemClock,
            timers: systemTimers,
            logger: silentLogger,
            ...hls,
          })),
        }),
      ),
  });
  if (!delivery) throw new Error('The routes were not made.');
  return {
    hls: delivery,
    playlistUrl: (id: string): string => `${started.base}/hls/${id}/playlist.m3u8`,
    create: (...input: Parameters<typeof started.create>) => started.create(...input),
    registry: started.registry,
    state: started.state,
    base: started.base,
    async [Symbol.asyncDispose](): Promise<void> {
      await started[Symbol.asyncDispose]();
      client.close();
    },
  };
}

/** The local URLs of a playlist, absolute. */
export const linksIn = (playlist: string, url: string): string[] =>
  [...playlist.matchAll(/(?:playlist\.m3u8|segment(?:\.ts)?)\?h=[^\s"]+/g)].map(
    ([link]) => new URL(link, url).href,
  );
