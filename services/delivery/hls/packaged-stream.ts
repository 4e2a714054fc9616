import { Packager } from '#conversion';
import type { PackagerOptions } from '#conversion';
import { MediaError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { ClientId } from '#kernel/ids';
import type { ViewerSink } from '#relay';
import type { MediaKind } from '#streams';

/** Where the bytes of a stream come from; `release` ends that. */
export interface ByteTap {
  readonly started: Promise<{ readonly kind: MediaKind; readonly contentType?: string }>;
  readonly ended: Promise<AppError | undefined>;
  attach(sink: ViewerSink): void;
  release(): void;
}

export type PackagedStreamOptions = PackagerOptions & {
  readonly tap: ByteTap;
  /** Called once when it is over; it is closed. */
  readonly over: () => void;
};

const TRANSPORT_STREAM = /^video\/mp2t\b/i;

/**
 * One live stream while it is packaged for its HLS viewers. Begins to read at once; ends with its
 * last viewer, with its source, or when it is closed.
 */
export class PackagedStream {
  readonly packager: Packager;
  readonly #options: PackagedStreamOptions;
  readonly #viewers = new Map<ClientId, AbortSignal>();
  readonly #ready = Promise.withResolvers<'packaged' | MediaKind>();
  #isClosed = false;

  constructor(options: PackagedStreamOptions) {
    this.#options = options;
    this.packager = new Packager(options);
    this.#ready.promise.catch(() => {}); // Its waiters may all have left.
    void this.#run();
  }

  /**
   * Resolves when there is a playlist, or with the kind of media that the source has instead.
   * @throws AppError when no source gives media that can be packaged.
   */
  get ready(): Promise<'packaged' | MediaKind> {
    return this.#ready.promise;
  }

  /** A viewer has asked. @param ended - Aborts when it is gone. */
  keptBy(viewer: ClientId, ended: AbortSignal): void {
    if (this.#viewers.get(viewer) === ended) return;
    this.#viewers.set(viewer, ended);
    const leave = (): void => {
      if (this.#viewers.get(viewer) !== ended) return;
      this.#viewers.delete(viewer);
      if (this.#viewers.size === 0) this.close();
    };
    if (ended.aborted) leave();
    else ended.addEventListener('abort', leave, { once: true });
  }

  /** Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.tap.release();
    this.#options.over();
  }

  async #run(): Promise<void> {
    const { tap } = this.#options;
    try {
      const start = await tap.started;
      if (start.kind !== 'live') return this.#ready.resolve(start.kind);
      if (!TRANSPORT_STREAM.test(start.contentType ?? '')) throw notPackable();
      tap.attach(sinkOf(this.packager));
      void this.packager.ready.then(() => this.#ready.resolve('packaged'));
      this.#ready.reject((await tap.ended) ?? endedEarly());
    } catch (error) {
      this.#ready.reject(error);
    } finally {
      this.close();
    }
  }
}

/** Takes everything at once: it slows nobody. */
const sinkOf = (packager: Packager): ViewerSink => ({
  pendingBytes: 0,
  write: (parts, flushed) => {
    for (const part of parts) packager.write(part);
    flushed?.();
  },
});

const notPackable = (): MediaError =>
  new MediaError('UPSTREAM_WRONG_TYPE', {
    message: 'The source is no transport stream, so it cannot be cut into segments.',
  });

const endedEarly = (): MediaError =>
  new MediaError('UPSTREAM_WRONG_TYPE', {
    message: 'The source ended before there was a segment.',
  });
