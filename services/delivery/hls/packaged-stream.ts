import { FragmentPackager, Packager } from '#conversion';
import type { PackagedPart, Packaging, PackagerOptions } from '#conversion';
import { MediaError, toAppError } from '#kernel/app-error';
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
  /** The most that each picture track should take, in bits per second; absent: not known. */
  readonly plannedBps?: readonly number[] | undefined;
  /** Called once when it is over; it is closed. */
  readonly over: () => void;
};

const TRANSPORT_STREAM = /^video\/mp2t\b/i;
const FRAGMENTED = /^(?:video|audio)\/mp4\b/i;

/**
 * One live stream while it is packaged for its HLS viewers. Begins to read at once; ends with its
 * last viewer, with its source, or when it is closed.
 */
export class PackagedStream {
  readonly #options: PackagedStreamOptions;
  readonly #viewers = new Map<ClientId, AbortSignal>();
  readonly #ready = Promise.withResolvers<'packaged' | MediaKind>();
  #packaging: Packaging | undefined;
  #isClosed = false;
  #isShown = false;

  constructor(options: PackagedStreamOptions) {
    this.#options = options;
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

  /** As {@link Packaging.targetDurationMs}. */
  get targetDurationMs(): number {
    return this.#packaging?.targetDurationMs ?? this.#options.targetMs;
  }

  /** As {@link Packaging.lastDiscontinuity}; undefined when nothing was cut. */
  get lastDiscontinuity(): number | undefined {
    return this.#packaging?.lastDiscontinuity;
  }

  /** Whether anybody has been given a playlist of it. */
  get isShown(): boolean {
    return this.#isShown;
  }

  /** As {@link Packaging.text}. */
  text(...asked: Parameters<Packaging['text']>): string | undefined {
    const text = this.#packaging?.text(...asked);
    this.#isShown ||= text !== undefined;
    return text;
  }

  /** As {@link Packaging.part}. */
  part(name: string): PackagedPart | undefined {
    return this.#packaging?.part(name);
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
      const packaging = this.#package(start.contentType ?? '');
      const unfit = Promise.withResolvers<AppError>();
      tap.attach(sinkOf(packaging, unfit.resolve));
      void packaging.ready.then(() => this.#ready.resolve('packaged'));
      this.#ready.reject((await Promise.race([tap.ended, unfit.promise])) ?? endedEarly());
    } catch (error) {
      this.#ready.reject(error);
    } finally {
      this.close();
    }
  }

  #package(contentType: string): Packaging {
    const { plannedBps, ...options } = this.#options;
    if (TRANSPORT_STREAM.test(contentType)) this.#packaging = new Packager(options);
    else if (FRAGMENTED.test(contentType)) {
      this.#packaging = new FragmentPackager({ ...options, plannedBps });
    }
    if (this.#packaging === undefined) throw notPackable();
    return this.#packaging;
  }
}

/** Takes everything at once: it slows nobody. @param unfit - Told when it cannot be packaged. */
const sinkOf = (packaging: Packaging, unfit: (error: AppError) => void): ViewerSink => ({
  pendingBytes: 0,
  write: (parts, flushed) => {
    try {
      for (const part of parts) packaging.write(part);
    } catch (error) {
      unfit(toAppError(error));
    }
    flushed?.();
  },
});

const notPackable = (): MediaError =>
  new MediaError('UPSTREAM_WRONG_TYPE', {
    message:
      'The source is neither a transport stream nor fragmented MP4, so it cannot be cut into segments.',
  });

const endedEarly = (): MediaError =>
  new MediaError('UPSTREAM_WRONG_TYPE', {
    message: 'The source ended before there was a segment.',
  });
