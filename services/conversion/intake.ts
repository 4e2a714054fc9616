import { MediaError, UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { BodySink } from '#upstream';
import { HEAD_BYTES, readHead } from './media-format.ts';
import type { MediaHead } from './media-format.ts';
import type { RemuxRun, Remuxer } from './ports.ts';

export type IntakeOptions = {
  readonly tracks: number;
  readonly sink: Pick<BodySink, 'chunk'>;
  readonly remuxer: Remuxer;
};

/** What passes bytes on, once it is known what they are. */
type Passage = {
  write(track: number, bytes: Buffer): Promise<void> | undefined;
  end(track: number): void;
  finished(): Promise<void>;
  resume(): void;
  close(): void;
};

/**
 * Takes the bytes of one timeline of a source, of one track or of two, and makes one transport
 * stream of them: a transport stream passes as it is, everything else is remuxed. What it is, its
 * first bytes tell. Make a new one where the source begins anew.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #heads: (Buffer | undefined)[];
  readonly #started = Promise.withResolvers<void>();
  #passage: Passage | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#heads = Array.from({ length: options.tracks });
    this.#started.promise.catch(() => {}); // Its waiters may all have left.
  }

  /**
   * Takes bytes; they are free when the promise resolves, or at once where there is none.
   * @throws MediaError `UPSTREAM_WRONG_TYPE`, also by rejecting, for what is no media.
   */
  write(track: number, bytes: Buffer): Promise<void> | undefined {
    if (bytes.length === 0) return undefined;
    if (this.#passage) return this.#passage.write(track, bytes);
    const head = Buffer.concat([this.#heads[track] ?? Buffer.alloc(0), bytes]);
    this.#heads[track] = head;
    if (head.length < HEAD_BYTES) return undefined;
    this.#startIfReady();
    return this.#started.promise;
  }

  /** A track is over. */
  end(track: number): void {
    if (!this.#passage && this.#heads.every((head) => head !== undefined)) this.#start();
    if (this.#heads[track] === undefined) this.#started.reject(missingTrack());
    this.#passage?.end(track);
  }

  /** Resolves when all has gone out that was taken; call when every track is over. */
  async finished(): Promise<void> {
    await this.#passage?.finished();
  }

  /** The sink takes more. */
  resume(): void {
    this.#passage?.resume();
  }

  /** Idempotent. */
  close(): void {
    this.#passage?.close();
    this.#started.reject(new DOMException('The reader has left.', 'AbortError'));
  }

  #startIfReady(): void {
    if (this.#heads.every((head) => (head?.length ?? 0) >= HEAD_BYTES)) this.#start();
  }

  #start(): void {
    const heads = this.#heads.map((head) => head ?? Buffer.alloc(0));
    try {
      this.#passage = this.#passageFor(heads.map(mediaOf));
    } catch (error) {
      this.#started.reject(error);
      return;
    }
    const passage = this.#passage;
    const taken = heads.map(async (head, track) => passage.write(track, head));
    void Promise.all(taken).then(() => this.#started.resolve(), this.#started.reject);
  }

  #passageFor(heads: readonly MediaHead[]): Passage {
    const { sink, remuxer } = this.#options;
    const isPlain = heads.length === 1 && heads[0]?.format === 'mpegts';
    return isPlain ? straight(sink) : remuxed(remuxer, heads, sink);
  }
}

const missingTrack = (): UpstreamError =>
  new UpstreamError('UPSTREAM_TRUNCATED', {
    message: 'The source gave pictures without their sound, or the other way round.',
  });

function mediaOf(head: Buffer): MediaHead {
  const media = readHead(head);
  if (media) return media;
  throw new MediaError('UPSTREAM_WRONG_TYPE', {
    message: 'A segment of the source is something else than media.',
  });
}

function straight(sink: IntakeOptions['sink']): Passage {
  let room: PromiseWithResolvers<void> | undefined;
  return {
    write: (_track, bytes) => {
      if (sink.chunk(bytes)) return undefined;
      room = Promise.withResolvers();
      return room.promise;
    },
    end: () => {},
    finished: () => Promise.resolve(),
    resume: () => room?.resolve(),
    close: () => room?.resolve(),
  };
}

function remuxed(
  remuxer: Remuxer,
  heads: readonly MediaHead[],
  sink: IntakeOptions['sink'],
): Passage {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => {}); // Writers hear of it as well.
  const inputs = heads.map(({ format, startsAtMs }) => ({ format, startsAtMs }));
  const run: RemuxRun = remuxer.start(inputs, {
    chunk: (bytes) => sink.chunk(bytes),
    end: () => resolve(),
    fail: (error: AppError) => reject(error),
  });
  const failed = promise.then(() => new Promise<void>(() => {}));
  failed.catch(() => {});
  return {
    write: (track, bytes) => Promise.race([run.write(track, bytes), failed]),
    end: (track) => run.end(track),
    finished: () => promise,
    resume: () => run.resume(),
    close: () => run.close(),
  };
}
