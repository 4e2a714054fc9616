import type { AppError } from '#kernel/app-error';
import { type ByteSource, moreOf, type Outlet, type Part, pour, type PourOptions } from './pour.ts';
import type { KeptBody } from './kept-body.ts';
import type { FetchHead } from './shared-fetch.ts';

/** Where the bytes of an answer come from. `shared`: a request that was under way for others. */
export type SegmentOrigin = 'memory' | 'disk' | 'shared' | 'source';

export type OpenedSegmentParts = {
  readonly head: FetchHead;
  readonly origin: SegmentOrigin;
  /** It had been fetched, or was being fetched, before anybody asked. */
  readonly wasAhead: boolean;
  readonly source: ByteSource;
  readonly isKept: () => boolean;
  readonly release: () => void;
  /** The same body from this byte on, for a reader that has fallen behind. */
  readonly from: (at: number) => Promise<OpenedSegment>;
};

/** The fetch itself ends what takes too long. */
const UNENDING = new AbortController().signal;
const NOTHING: Buffer = Buffer.alloc(0);

/** A segment for one reader, who closes it. */
export class OpenedSegment {
  readonly head: FetchHead;
  readonly origin: SegmentOrigin;
  readonly wasAhead: boolean;
  readonly #parts: OpenedSegmentParts;
  #isClosed = false;

  constructor(parts: OpenedSegmentParts) {
    this.head = parts.head;
    this.origin = parts.origin;
    this.wasAhead = parts.wasAhead;
    this.#parts = parts;
  }

  /** The whole body at once, where it is at hand. */
  get whole(): Buffer | undefined {
    const { source } = this.#parts;
    const bytes = source.isOver && !source.failure ? source.from(0) : undefined;
    return bytes === 'lost' ? undefined : bytes;
  }

  /**
   * Sends a part of the body and ends `outlet`; or destroys it, so that a part is never taken for
   * the whole. Closes the segment.
   * @returns what went wrong, if anything. Never rejects.
   */
  async sendTo(outlet: Outlet, part: Part, options: PourOptions): Promise<AppError | undefined> {
    const poured = await this.#pour(outlet, part, options);
    if (poured === 'done') {
      outlet.end();
      this.#closeLater();
      return undefined;
    }
    outlet.destroy();
    this.close();
    return poured === 'left' ? undefined : poured;
  }

  /** A reader of a part has it all; the rest may come, if it is kept for the next one. */
  #closeLater(): void {
    if (this.#parts.source.isOver || !this.isKept) return this.close();
    const close = (): void => this.close();
    this.over(UNENDING).then(close, close);
  }

  /** All of it is kept while it comes: it will be there for whoever asks later. */
  get isKept(): boolean {
    return this.#parts.isKept();
  }

  /**
   * Waits until it is over.
   * @returns what went wrong, if anything.
   * @throws the signal's reason.
   */
  async over(signal: AbortSignal): Promise<AppError | undefined> {
    const { source } = this.#parts;
    while (!source.isOver) {
      await moreOf(source, signal);
      signal.throwIfAborted();
    }
    return source.failure;
  }

  /** The whole body, where it has no more than so many bytes. @throws AppError, the signal's reason. */
  async read(maxBytes: number, signal: AbortSignal): Promise<Buffer | undefined> {
    const { source } = this.#parts;
    for (let read = NOTHING; ;) {
      const found = source.from(read.length);
      if (found === 'lost') return undefined;
      if (found) read = Buffer.concat([read, found]);
      else if (source.failure) throw source.failure;
      else if (source.isOver) return read;
      else await moreOf(source, signal);
      signal.throwIfAborted();
      if (read.length > maxBytes) return undefined;
    }
  }

  /** Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#parts.release();
  }

  async #pour(
    outlet: Outlet,
    part: Part,
    options: PourOptions,
  ): Promise<'done' | 'left' | AppError> {
    const { source, from } = this.#parts;
    const poured = await pour(source, { part, outlet }, options);
    if (poured.kind === 'failed') return poured.error;
    if (poured.kind !== 'lost') return poured.kind;
    const { at } = poured;
    this.close();
    let rest: OpenedSegment;
    try {
      rest = await from(at);
    } catch (error) {
      return error as AppError;
    }
    try {
      const last = part.last === undefined ? undefined : part.last - at;
      return await rest.#pour(outlet, { first: 0, last }, options);
    } finally {
      rest.close();
    }
  }
}

/** A body that is all there. */
export const sourceOf = (body: Pick<KeptBody, 'bytes' | 'endBytes'>): ByteSource => ({
  from: (at) => (at < body.endBytes ? body.bytes.subarray(at) : undefined),
  isOver: true,
  failure: undefined,
  onMore: () => () => {},
});
