import { playbackRoutes } from '#api/routes/playback.routes';
import type { VodDelivery } from '#delivery';
import { liveTs, startFakeProvider } from './fake-provider.ts';
import { LoopedTs } from './looped-ts.ts';
import { media } from './media.ts';
import { startPlayback } from './playback-bench.ts';
import type { PlaybackOptions } from './playback-bench.ts';
import { Viewer } from './viewer.ts';

const unusedVod = {} as VodDelivery;

/** Four seconds a second: two live sources of one provider, and live delivery before them. */
export async function startLive(options: Omit<PlaybackOptions, 'routes'> = {}) {
  const { main, durationMs } = await media();
  const source = await LoopedTs.open(main, durationMs);
  const provider = await startFakeProvider({
    '/live/a.ts': liveTs(source, { speed: 4 }),
    '/live/b.ts': liveTs(source, { speed: 4, framing: 'close' }),
  });
  const playback = await startPlayback({
    ...options,
    routes: (deps) => playbackRoutes({ ...deps, vod: unusedVod }),
  });
  const watch = (id: string): Viewer => new Viewer(`${playback.base}/stream/${id}`);
  const [primary, backup] = [provider.url('/live/a.ts'), provider.url('/live/b.ts')];
  const dispose = async (): Promise<void> => {
    await playback[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  };
  return { source, provider, playback, watch, primary, backup, [Symbol.asyncDispose]: dispose };
}
