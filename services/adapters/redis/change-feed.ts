import type { Redis } from 'ioredis';
import type { StreamId } from '#kernel/ids';
import type { Logger } from '#kernel/logger';
import { orAbort } from '#kernel/or-abort';
import type { NetworkId } from '#networks';
import type { PeerViewer } from '#streams';
import type { ChangeNote, ViewerNote } from './encode-change.ts';
import { keysOf } from './keys.ts';
import { storeUnavailable } from './store-errors.ts';

const SUBSCRIBE_DEADLINE_MS = 2_000;

export type ChangeFeedOptions = {
  /** A connection for `subscriber`, used for nothing else; stays the caller's. */
  readonly redis: Redis;
  readonly prefix: string;
  /** Names this process: its own changes of streams and viewers are not told. */
  readonly origin: string;
  readonly logger: Logger;
};

export type ChangeListener = {
  /** Another process saved or removed this stream. */
  stream?(id: StreamId): void;
  /** Another process was asked to end this viewer. */
  viewer?(viewer: PeerViewer, isRefused: boolean): void;
  /** Webhook endpoints have changed. */
  endpoints?(): void;
  /** A network was ordered or has changed its state. */
  network?(id: NetworkId): void;
  /** Stream keys have changed. */
  streamKeys?(): void;
  /** Some process has let a viewer begin, by a signed link. */
  begun?(digest: string): void;
  /** Somebody waits in another process for a slot of a provider account. */
  place?(digest: string): void;
  /** The secrets have been rotated. */
  secret?(): void;
  /** Notes may have been missed: everything may have changed. */
  gap?(): void;
};

/** Hears what other processes change. */
export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  readonly #listeners = new Set<ChangeListener>();
  readonly #onReady = (): void => void this.#subscribe();
  readonly #onMessage = (_channel: string, text: string): void => this.#hear(text);
  readonly #subscribed = Promise.withResolvers<void>();
  #hasSubscribed = false;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
    options.redis.on('ready', this.#onReady);
    options.redis.on('message', this.#onMessage);
    if (options.redis.status === 'ready') this.#onReady();
  }

  /**
   * Resolves when changes are heard: what is read after it cannot go stale unnoticed.
   * @throws DependencyError `STORE_UNAVAILABLE` when that takes longer than two seconds.
   */
  async subscribed(): Promise<void> {
    const signal = AbortSignal.timeout(SUBSCRIBE_DEADLINE_MS);
    await orAbort(this.#subscribed.promise, signal).catch((error: unknown) => {
      throw storeUnavailable(error);
    });
  }

  /** Returns how to stop listening. */
  listen(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Idempotent. */
  close(): void {
    this.#options.redis.off('ready', this.#onReady);
    this.#options.redis.off('message', this.#onMessage);
    this.#listeners.clear();
  }

  async #subscribe(): Promise<void> {
    const { redis, prefix, logger } = this.#options;
    try {
      await redis.subscribe(keysOf(prefix).changes);
    } catch (error) {
      logger.debug('subscribing to changes failed', { error });
      return; // The connection broke; the next `ready` tries again.
    }
    if (this.#hasSubscribed) for (const listener of this.#listeners) listener.gap?.();
    this.#hasSubscribed = true;
    this.#subscribed.resolve();
  }

  #hear(text: string): void {
    const note = JSON.parse(text) as ChangeNote;
    if ('from' in note && note.from === this.#options.origin) return;
    for (const listener of this.#listeners) tell(listener, note);
  }
}

function tell(listener: ChangeListener, note: ChangeNote): void {
  if (note.kind === 'stream') listener.stream?.(note.id);
  else if (note.kind === 'viewer') listener.viewer?.(viewerOf(note), note.isRefused);
  else if ('digest' in note) listener[note.kind]?.(note.digest);
  else if (note.kind === 'network') listener.network?.(note.id);
  else listener[PLAIN[note.kind]]?.();
}

const viewerOf = ({ id: streamId, clientId }: ViewerNote): PeerViewer => ({ streamId, clientId });

const PLAIN = {
  endpoints: 'endpoints',
  'stream-keys': 'streamKeys',
  secret: 'secret',
} as const;
