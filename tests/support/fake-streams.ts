import { InvalidInputError, NotFoundError, UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import { asClientId, streamIdOf } from '#kernel/ids';
import type { ClientId, StreamId } from '#kernel/ids';
import type {
  CreateOutcome,
  FailoverOutcome,
  MediaKind,
  Removal,
  StreamDefinition,
  StreamInput,
  StreamSnapshot,
  Streams,
  Totals,
  ViewerSnapshot,
} from '#streams';

type Entry = {
  definition: StreamDefinition;
  failoverIndex: number;
  failoverAttempts: number;
  lastFailoverAtMs: number | null;
};

/** The management port over plain maps; what a test wants to see or to break is public. */
export class FakeStreams implements Streams {
  readonly removals: { readonly id: StreamId; readonly removal: Removal }[] = [];
  readonly touched: StreamId[] = [];
  readonly inputs: StreamInput[] = [];
  /** Thrown by every method that would write. */
  storeFailure: AppError | Error | undefined;
  nowMs = 1_700_000_000_000;
  readonly #entries = new Map<StreamId, Entry>();
  #viewers: readonly ViewerSnapshot[] = [];

  async create(input: StreamInput): Promise<CreateOutcome> {
    this.#failIfBroken();
    this.inputs.push(input);
    const id = streamIdOf(input.url);
    const existing = this.#entries.get(id);
    const createdAtMs = existing?.definition.createdAtMs ?? this.nowMs;
    const entry = existing ?? { failoverIndex: -1, failoverAttempts: 0, lastFailoverAtMs: null };
    const definition: StreamDefinition = { v: 1, id, createdAtMs, ...input };
    this.#entries.set(id, { ...entry, definition });
    const isWatched = this.viewers(id).length > 0;
    return {
      snapshot: this.#snapshot(id),
      outcome: existing === undefined ? 'created' : 'updated',
      deferred:
        existing !== undefined && isWatched ? ['user_agent', 'headers', 'sharing', 'egress'] : [],
    };
  }

  list(): readonly StreamSnapshot[] {
    return [...this.#entries.keys()].map((id) => this.#snapshot(id));
  }

  async get(id: StreamId): Promise<StreamSnapshot> {
    return this.#snapshot(id);
  }

  viewers(id?: StreamId): readonly ViewerSnapshot[] {
    return this.#viewers.filter(({ streamId }) => id === undefined || streamId === id);
  }

  totals(): Totals {
    const streams = this.list();
    return {
      streams: streams.length,
      activeStreams: streams.filter(({ viewerCount }) => viewerCount > 0).length,
      viewers: this.#viewers.length,
      bytesServed: 3_408_988,
      segmentsServed: 1,
      uptimeSeconds: 90_061,
    };
  }

  async remove(id: StreamId, removal: Removal): Promise<void> {
    this.#entryOf(id);
    this.#failIfBroken();
    this.#entries.delete(id);
    this.#viewers = this.#viewers.filter(({ streamId }) => streamId !== id);
    this.removals.push({ id, removal });
  }

  async failover(id: StreamId): Promise<FailoverOutcome> {
    const entry = this.#entryOf(id);
    const { failoverUrls, failoverResolverUrl } = entry.definition;
    if (failoverUrls.length === 0 && failoverResolverUrl === null) {
      throw new InvalidInputError('FAILOVER_NOT_CONFIGURED', { message: 'There is no backup.' });
    }
    const newUrl = failoverUrls[entry.failoverIndex + 1];
    if (newUrl === undefined) {
      throw new UpstreamError('ALL_SOURCES_FAILED', { message: 'No other source is left.' });
    }
    entry.failoverIndex += 1;
    entry.failoverAttempts += 1;
    entry.lastFailoverAtMs = this.nowMs;
    const { failoverIndex, failoverAttempts } = entry;
    const viewerCount = this.viewers(id).length;
    return { newUrl, failoverIndex, failoverAttempts, viewerCount, kind: kindOf(newUrl) };
  }

  async kick(clientId: ClientId, id?: StreamId): Promise<boolean> {
    const before = this.#viewers.length;
    this.#viewers = this.#viewers.filter(
      (viewer) => viewer.clientId !== clientId || (id !== undefined && viewer.streamId !== id),
    );
    return this.#viewers.length < before;
  }

  async viewersElsewhere(): Promise<readonly never[]> {
    return [];
  }

  dismiss(clientId: ClientId, id?: StreamId): Promise<boolean> {
    return this.kick(clientId, id);
  }

  touch(id: StreamId): void {
    this.touched.push(id);
  }

  /** Somebody begins to watch. */
  watch(id: StreamId, clientId: string, details: Partial<ViewerSnapshot> = {}): void {
    const viewer: ViewerSnapshot = {
      clientId: asClientId(clientId),
      streamId: id,
      userAgent: 'VLC/3.0',
      ipAddress: '203.0.113.9',
      username: 'alice',
      bytesServed: 1_310_720,
      segmentsServed: 0,
      createdAtMs: this.nowMs,
      lastAccessMs: this.nowMs,
      ...details,
    };
    this.#viewers = [...this.#viewers, viewer];
  }

  #failIfBroken(): void {
    if (this.storeFailure !== undefined) throw this.storeFailure;
  }

  #entryOf(id: StreamId): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      throw new NotFoundError('STREAM_NOT_FOUND', { message: `No stream has the id ${id}.` });
    }
    return entry;
  }

  #snapshot(id: StreamId): StreamSnapshot {
    const { definition, ...failover } = this.#entryOf(id);
    return {
      definition,
      ...failover,
      switches: [],
      slate: null,
      media: null,
      kind: kindOf(definition.url),
      userAgent: definition.userAgent ?? 'penstock-test',
      currentUrl: definition.failoverUrls[failover.failoverIndex] ?? definition.url,
      viewerCount: this.viewers(id).length,
      bytesServed: 1_310_720,
      segmentsServed: 0,
      errorCount: 0,
      lastAccessMs: this.nowMs,
    };
  }
}

const kindOf = (url: string): MediaKind => {
  const path = url.split('?', 1)[0] ?? url;
  if (path.endsWith('.m3u8')) return 'hls';
  return path.endsWith('.mp4') ? 'vod' : 'live';
};
