import type { ServerResponse } from 'node:http';
import type { LiveDelivery, LiveDeliveryOptions, VodDelivery } from '#delivery';
import { closeAll } from '#kernel/closing';
import type { StreamId } from '#kernel/ids';
import { RunDesk, TranscodeDelivery, relayTap } from '#runs';
import type { ResolverDesk, RunSources } from '#runs';
import type { StreamDirectory } from '#streams';
import type { RunHolders, RunId, RunQueue, WorkerBoard } from '#transcode';
import type { UpstreamClient } from '#upstream';
import type { PeerDoor } from './peer-door.ts';
import { openRunServer } from './run-server.ts';

export type TranscodingOptions = {
  readonly queue: RunQueue;
  readonly board: WorkerBoard;
  readonly holders: RunHolders;
  /** For other api processes of this installation. */
  readonly peers: UpstreamClient;
  readonly directory: StreamDirectory;
  /** Runs of other programs, whose workers come in by the same door. */
  readonly resolvers: Pick<ResolverDesk, 'find' | 'close'>;
  /** Where workers reach this process. */
  readonly door: { url: string | undefined };
  /** The deliveries that read the streams' own sources. */
  readonly live: LiveDelivery;
  readonly vod: VodDelivery;
  /** As for all live delivery. */
  readonly common: Pick<
    LiveDeliveryOptions,
    'viewerBufferBytes' | 'viewerPatienceMs' | 'allowance' | 'clock' | 'timers' | 'logger'
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
  /** Where other api processes pass on what players ask. */
  readonly peerDoor: PeerDoor;
};

/** Transcoding as the api process has it: its delivery, its runs, and the door for workers. */
export async function openTranscoding({
  settings,
  secret,
  peerDoor,
  ...parts
}: TranscodingOptions) {
  const { queue, board, holders, peers: client, directory, common, resolvers, door, live } = parts;
  const { startMs, staleMs, graceMs, internal } = settings;
  door.url = internal.url;
  const desk = new RunDesk({
    ...common,
    queue,
    board,
    holders,
    remote: { client, secret, startMs },
    sources: sourcesOf(parts),
    apiUrl: () => door.url ?? '',
    startMs,
    staleMs,
  });
  const delivery = new TranscodeDelivery({
    ...common,
    desk,
    lingerMs: graceMs,
    random: Math.random,
  });
  const relay = async (id: StreamId, response: ServerResponse): Promise<void> => {
    const stream = await directory.open(id);
    if (stream.resolver === undefined) return delivery.relay(stream, response);
    await relayTap(live.tap(stream), response);
  };
  const find = (id: RunId) => desk.find(id) ?? resolvers.find(id);
  const server = await openRunServer({ find, relay, secret, peers: peerDoor, ...internal });
  door.url ??= `http://${hostInUrl(internal.host)}:${server.port}`;
  const close = (): Promise<void> =>
    closeAll([() => desk.close(), () => resolvers.close(), () => server.close()]);
  return { desk, delivery, apiUrl: () => door.url ?? '', close };
}

const sourcesOf = ({ live, vod }: Pick<TranscodingOptions, 'live' | 'vod'>): RunSources => ({
  tap: (stream) => live.tap(stream),
  readsPlaylists: () => live.readsPlaylists,
  openFile: (stream, gone) =>
    vod.open(stream, { method: 'GET', viewer: { ipAddress: '', userAgent: '' } }, gone),
});

const hostInUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host);
