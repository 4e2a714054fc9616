import type { LiveDelivery, LiveDeliveryOptions, VodDelivery } from '#delivery';
import { closeAll } from '#kernel/closing';
import { RunDesk, TranscodeDelivery } from '#runs';
import type { RunSources } from '#runs';
import type { RunQueue, WorkerBoard } from '#transcode';
import { openRunServer } from './run-server.ts';

export type TranscodingOptions = {
  readonly queue: RunQueue;
  readonly board: WorkerBoard;
  /** The deliveries that read the streams' own sources. */
  readonly live: LiveDelivery;
  readonly vod: VodDelivery;
  /** As for all live delivery. */
  readonly common: Pick<
    LiveDeliveryOptions,
    'viewerBufferBytes' | 'viewerPatienceMs' | 'clock' | 'timers' | 'logger'
  >;
  readonly settings: {
    readonly startMs: number;
    readonly staleMs: number;
    /** How long a run goes on when its last viewer has left. */
    readonly graceMs: number;
    readonly internal: {
      readonly host: string;
      readonly port: number;
      readonly url: string | undefined;
    };
  };
  readonly secret: Buffer;
};

/** Transcoding as the api process has it: its delivery, its runs, and the door for workers. */
export async function openTranscoding({ settings, secret, ...parts }: TranscodingOptions) {
  const { queue, board, common } = parts;
  const { startMs, staleMs, graceMs, internal } = settings;
  let apiUrl = internal.url;
  const desk = new RunDesk({
    ...common,
    queue,
    board,
    sources: sourcesOf(parts),
    apiUrl: () => apiUrl ?? '',
    startMs,
    staleMs,
  });
  const server = await openRunServer({ desk, secret, ...internal });
  apiUrl ??= `http://${hostInUrl(internal.host)}:${server.port}`;
  const delivery = new TranscodeDelivery({
    ...common,
    desk,
    lingerMs: graceMs,
    random: Math.random,
  });
  const close = (): Promise<void> => closeAll([() => desk.close(), () => server.close()]);
  return { desk, delivery, close };
}

const sourcesOf = ({ live, vod }: Pick<TranscodingOptions, 'live' | 'vod'>): RunSources => ({
  tap: (stream) => live.tap(stream),
  readsPlaylists: () => live.readsPlaylists,
  openFile: (stream, gone) =>
    vod.open(stream, { method: 'GET', viewer: { ipAddress: '', userAgent: '' } }, gone),
});

const hostInUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host);
