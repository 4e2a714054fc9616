import { FragmentPackager, Packager } from '#conversion';
import type { PackagedPart, Packaging, PackagerOptions } from '#conversion';
import { MediaError, toAppError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { Clock } from '#kernel/clock';
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
  readonly #viewers = new Map<string, AbortSignal>();
  readonly #ready = Promise.withResolvers<'packaged' | MediaKind>();
  readonly #lasting = Promise.withResolvers<void>();
  #packaging: Packaging | undefined;
  #isClosed = false;

  constructor(options: PackagedStreamOptions) {
    this.#options = options;
    this.#ready.promise.catch(() => {}); // Its waiters may all have left.
    this.#lasting.promise.catch(() => {});
    void this.#run();
  }

  /**
   * Resolves when there is a playlist, or with the kind of media that the source has instead.
   * @throws AppError when no source gives media that can be packaged.
   */
  get ready(): Promise<'packaged' | MediaKind> {
    return this.#ready.promise;
  }

  /**
   * Resolves when there is a playlist and media still comes, well after it has begun to: it is no
   * short file that somebody sends in place of a stream.
   * @throws as `ready`; MediaError where the source is no live media.
   */
  get lasting(): Promise<void> {
    return this.#lasting.promise;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** As {@link Packaging.targetDurationMs}. */
  get targetDurationMs(): number {
    return this.#packaging?.targetDurationMs ?? this.#options.targetMs;
  }

  /** As {@link Packaging.lastDiscontinuity}; undefined when nothing was cut. */
  get lastDiscontinuity(): number | undefined {
    return this.#packaging?.lastDiscontinuity;
  }

  /** As {@link Packaging.text}. */
  text(...asked: Parameters<Packaging['text']>): string | undefined {
    return this.#packaging?.text(...asked);
  }

  /** As {@link Packaging.part}. */
  part(name: string): PackagedPart | undefined {
    return this.#packaging?.part(name);
  }

  /** A viewer has asked. @param ended - Aborts when it is gone. */
  keptBy(viewer: string, ended: AbortSignal): void {
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
      if (start.kind !== 'live') return this.#otherKind(start.kind);
      const packaging = this.#package(start.contentType ?? '');
      const unfit = Promise.withResolvers<AppError>();
      const lasting = Promise.withResolvers<void>();
      tap.attach(
        sinkOf(packaging, unfit.resolve, lastingFor(this.#options.clock, lasting.resolve)),
      );
      void packaging.ready.then(() => this.#ready.resolve('packaged'));
      void Promise.all([packaging.ready, lasting.promise]).then(() => this.#lasting.resolve());
      this.#fail((await Promise.race([tap.ended, unfit.promise])) ?? endedEarly());
    } catch (error) {
      this.#fail(error);
    } finally {
      this.close();
    }
  }

  #otherKind(kind: MediaKind): void {
    this.#ready.resolve(kind);
    this.#lasting.reject(notPackable());
  }

  #fail(error: unknown): void {
    this.#ready.reject(error);
    this.#lasting.reject(error);
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

/** Files that are sent as fast as they can be are over by then. */
const LASTS_MS = 1_000;

/** Calls `lasts` as soon as media comes so long after the first. */
function lastingFor(clock: Clock, lasts: () => void): () => void {
  let sinceMs: number | undefined;
  return () => {
    const nowMs = clock.monotonicMs();
    sinceMs ??= nowMs;
    if (nowMs - sinceMs >= LASTS_MS) lasts();
  };
}

/**
 * Takes everything at once: it slows nobody.
 * @param unfit - Told when it cannot be packaged.
 * @param came - Told when media comes.
 */
const sinkOf = (
  packaging: Packaging,
  unfit: (error: AppError) => void,
  came: () => void,
): ViewerSink => ({
  pendingBytes: 0,
  write: (parts, flushed) => {
    came();
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
