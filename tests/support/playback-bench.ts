import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import type { Router } from 'express';
import { systemClock, systemTimers } from '#kernel/clock';
import { newNodeEpoch } from '#kernel/ids';
import { silentLogger } from '#kernel/logger';
import { problemHandler } from '#api/middleware/problem-handler';
import { loadConfig } from '#config';
import { HlsInput } from '#conversion';
import type { ConvertedLists } from '#conversion';
import { LiveDelivery, createPlaylistClient } from '#delivery';
import type { LiveBuffering, LiveDetection, SlateSettings, StandbyMode } from '#delivery';
import { StreamRegistry } from '#streams';
import type { FailoverResolver, Stream, StreamDirectory, StreamInput, StreamMeter } from '#streams';
import { anyConnection, anySpare, limitedClient, limitedTexts } from '#upstream';
import type { ConnectionAllowance, SparePermits, TextClient, UpstreamClient } from '#upstream';
import { createUpstreamClient } from '../../services/adapters/http/upstream-client.ts';
import { FfmpegRemuxer } from '../../services/adapters/ffmpeg/remuxer.ts';
import { createTextClient } from '../../services/adapters/http/text-client.ts';
import { FakeResolver, FakeState } from './fake-state.ts';
import { eventually } from './processes.ts';
import { streamInput } from './stream-bench.ts';

const UPSTREAM = { allowPrivate: true, verifyTls: true, maxRedirects: 5 };

export type PlaybackOptions = {
  readonly routes: (bench: Collaborators) => Router;
  readonly resolver?: FailoverResolver;
  /** Nobody counts when absent. */
  readonly meter?: StreamMeter;
  readonly sharing?: 'per-client' | 'shared';
  readonly stallMs?: number;
  /** As configured by default when absent. */
  readonly detection?: LiveDetection;
  readonly viewerBufferBytes?: number;
  readonly viewerPatienceMs?: number;
  readonly lingerMs?: number;
  readonly throttleBytesPerSecond?: number;
  readonly buffering?: LiveBuffering;
  readonly headersMs?: number;
  readonly outageLimitMs?: number;
  readonly slate?: SlateSettings;
  readonly standby?: StandbyMode;
  readonly permits?: SparePermits;
  /** Keeps the limits of providers; nobody does when absent. */
  readonly allowance?: ConnectionAllowance;
  readonly failbackAfterMs?: number;
  /** Which playlists `/stream` makes a transport stream of; none when absent. */
  readonly converts?: ConvertedLists;
  readonly ffmpeg?: string;
};

export type Collaborators = {
  readonly directory: StreamDirectory;
  readonly upstream: UpstreamClient;
  readonly live: LiveDelivery;
};

/** Delivery routes over real sockets, with a real registry and byte client; state in memory. */
export async function startPlayback(options: PlaybackOptions) {
  const state = new FakeState();
  const registry = startStreams(state, options);
  const client = createUpstreamClient(UPSTREAM);
  const { allowance = anyConnection } = options;
  const upstream = limitedClient(client, { allowance, use: 'live' });
  const texts = limitedTexts(createTextClient(UPSTREAM), allowance);
  const live = new LiveDelivery({
    upstream,
    playlistReader: options.converts && playlistReader({ upstream, texts }, options),
    allowance,
    timeouts: { connectMs: 1000, headersMs: options.headersMs ?? 1000 },
    stallMs: options.stallMs ?? 1000,
    slate: options.slate,
    standby: options.standby ?? 'cold',
    permits: options.permits ?? anySpare,
    detection: options.detection ?? { settings: loadConfig({}).detection },
    viewerBufferBytes: options.viewerBufferBytes ?? 8 * 1024 * 1024,
    viewerPatienceMs: options.viewerPatienceMs ?? 60_000,
    lingerMs: options.lingerMs ?? 0,
    ...(options.buffering === undefined ? {} : { buffering: options.buffering }),
    throttleBytesPerSecond: options.throttleBytesPerSecond ?? 0,
    clock: systemClock,
    timers: systemTimers,
    logger: silentLogger,
  });
  const app = express();
  const routes = options.routes({ directory: registry, upstream, live });
  app.use('/m3u-proxy', routes).use(routes).use(problemHandler(silentLogger));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new Playback(server, registry, { state, client });
}

type Closable = { close(): void };

export class Playback implements AsyncDisposable {
  readonly registry: StreamRegistry;
  readonly state: FakeState;
  readonly #server: Server;
  readonly #client: Closable;

  constructor(
    server: Server,
    registry: StreamRegistry,
    { state, client }: { state: FakeState; client: Closable },
  ) {
    this.#server = server;
    this.registry = registry;
    this.state = state;
    this.#client = client;
  }

  get base(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Registers a stream; gives its id. */
  async create(url: string, over: Partial<StreamInput> = {}): Promise<string> {
    const { snapshot } = await this.registry.create(streamInput(url, over));
    return snapshot.definition.id;
  }

  /** Waits until so many connections are left. */
  async connections(count: number, deadlineMs: number): Promise<void> {
    const left = async (): Promise<boolean> => (await this.#connectionCount()) === count;
    await eventually(`${count} connections are left`, left, deadlineMs);
  }

  async #connectionCount(): Promise<number> {
    const counting = Promise.withResolvers<number>();
    this.#server.getConnections((_error, count) => counting.resolve(count));
    return counting.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.registry.close();
    this.#server.closeAllConnections();
    this.#server.close();
    this.#client.close();
    await once(this.#server, 'close');
  }
}

const playlistReader =
  (
    { upstream, texts }: { readonly upstream: UpstreamClient; readonly texts: TextClient },
    { converts = 'all', ffmpeg: program = 'ffmpeg' }: Pick<PlaybackOptions, 'converts' | 'ffmpeg'>,
  ) =>
  (stream: Stream) =>
    new HlsInput({
      isSticky: stream.options.useStickySession ?? false,
      upstream,
      fetch: createPlaylistClient({
        texts,
        maxBytes: 1024 * 1024,
        timeoutMs: 1000,
      }),
      remuxer: new FfmpegRemuxer({ program, logger: silentLogger }),
      converts,
      clock: systemClock,
      timers: systemTimers,
      found: (url) => stream.learnKind('hls', url),
    });

function startStreams(state: FakeState, options: PlaybackOptions): StreamRegistry {
  return new StreamRegistry({
    store: state,
    journal: state,
    resolver: options.resolver ?? new FakeResolver(),
    defaults: {
      userAgent: 'Penstock-Test/1',
      sharing: options.sharing ?? 'per-client',
      retry: {
        retryAttempts: 1,
        retryDelayMs: 100,
        retryBackoffFactor: 1,
        outageLimitMs: options.outageLimitMs ?? 3000,
        maxFailovers: 0,
      },
      failbackAfterMs: options.failbackAfterMs ?? 0,
    },
    ...(options.meter === undefined ? {} : { meter: options.meter }),
    node: newNodeEpoch(),
    clock: systemClock,
    timers: systemTimers,
    logger: silentLogger,
  });
}
