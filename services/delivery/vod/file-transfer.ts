import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type AppError, codeOf, UpstreamError } from '#kernel/app-error';
import type { ByteRange } from '#kernel/byte-range';
import type { Source } from '#streams';
import { type FileIdentity, isSameFile, isSameSize } from './file-identity.ts';
import type { FileOutlet } from './file-outlet.ts';
import type { FileReader } from './file-reader.ts';
import type { FileSources, OpenAnswer, OpenFile } from './file-sources.ts';
import type { VodBody, Wanted } from './vod-response.ts';

/** What a source without ranges may send in vain for a viewer to go on where it was. */
const MAX_SKIP_BYTES = 256 * 1024 * 1024;

export type FileTransferOptions = {
  readonly sources: FileSources;
  /** The source that the first bytes come from. */
  readonly source: Source;
  readonly file: OpenFile;
  readonly wanted: Wanted;
  /** Made once, closed by the transfer. */
  readonly outletTo: (response: ServerResponse) => FileOutlet;
  /** Aborts when the viewer has left or is to go. */
  readonly signal: AbortSignal;
  /** Called once, when nothing more will be sent. */
  readonly over: (how: TransferEnd) => void;
};

/** Why the source in use gives no more. */
type Break = AppError | 'moved';

export type TransferEnd = 'complete' | 'failed' | 'left';

/**
 * Sends one file, or a part of it, to one viewer. When a source breaks off, the same response goes
 * on at the next byte, if the file is still the same. The viewer sets the pace: while it pauses
 * nothing is read, and what broke off meanwhile is found when it goes on.
 */
export class FileTransfer implements VodBody {
  readonly #options: FileTransferOptions;
  readonly #begun: FileIdentity;
  /** How each source described the file when it was first read from. */
  readonly #known = new Map<string, FileIdentity>();
  readonly #signal: AbortSignal;
  #reader: FileReader;
  #next: number;
  /** Takes the bytes that follow from the source that the stream was moved to. */
  #switch: (() => void) | undefined;

  constructor(options: FileTransferOptions) {
    this.#options = options;
    this.#signal = options.signal;
    this.#begun = options.file.answer.identity;
    this.#known.set(options.source.url, this.#begun);
    this.#reader = options.file.reader;
    this.#next = options.wanted.first;
    this.#signal.addEventListener('abort', () => this.#reader.close(), { once: true });
    if (this.#signal.aborted) this.#reader.close();
  }

  async pipeTo(response: ServerResponse): Promise<void> {
    response.on('error', () => {}); // That the viewer has left is the signal's to tell.
    const outlet = this.#options.outletTo(response);
    const stopListening = this.#options.sources.onMoved((source) => void this.#consider(source));
    let end: TransferEnd = 'failed';
    try {
      end = await this.#send(response, outlet);
    } catch (error) {
      if (this.#signal.aborted) end = 'left';
      else if (codeOf(error) === 'INTERNAL') throw error;
    } finally {
      stopListening();
      this.#reader.close();
      outlet.close();
      if (end !== 'complete') response.destroy();
      this.#options.over(end);
    }
  }

  async #send(response: ServerResponse, outlet: FileOutlet): Promise<TransferEnd> {
    for (;;) {
      const reason = await this.#flow(outlet);
      if (reason === undefined) break;
      this.#reader.close();
      await this.#goOn(reason);
    }
    this.#reader.close();
    await outlet.finish(this.#signal);
    response.end();
    if (!response.writableFinished) await finished(response, this.#signal);
    return response.writableFinished ? 'complete' : 'left';
  }

  /** Sends what one source gives; resolves with why it gave no more, or when all is sent. */
  #flow(outlet: FileOutlet): Promise<Break | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<Break | undefined>();
    this.#switch = () => resolve('moved');
    const leave = (): void => reject(this.#signal.reason);
    this.#signal.addEventListener('abort', leave, { once: true });
    if (this.#signal.aborted) leave();
    const sent = (): void => resolve(undefined);
    const take = (bytes: Buffer): boolean => this.#write(outlet, bytes, sent);
    void this.#reader.flow(take).then((failure) => resolve(failure ?? this.#shortfall()));
    return promise.finally(() => this.#signal.removeEventListener('abort', leave));
  }

  #write(outlet: FileOutlet, bytes: Buffer, sent: () => void): boolean {
    if (this.#signal.aborted) return false;
    const { last = Infinity } = this.#options.wanted;
    const part = bytes.subarray(0, last - this.#next + 1);
    this.#next += part.length;
    const reader = this.#reader;
    const isFree = outlet.write(part, () => reader.resume());
    if (this.#next > last) sent();
    return isFree;
  }

  /** A body that is complete by its own framing may still be less than the file. */
  #shortfall(): AppError | undefined {
    const { last } = this.#options.wanted;
    if (last === undefined || this.#next > last) return undefined;
    return new UpstreamError('UPSTREAM_TRUNCATED', {
      message: 'The source sent less of the file than there is.',
    });
  }

  async #goOn(reason: Break): Promise<void> {
    const { sources } = this.#options;
    if (reason === 'moved') sources.follow();
    const attempt = async (source: Source): Promise<FileReader> => {
      const opened = await sources.ask(source, 'GET', this.#remaining());
      const { reader } = await sources.begin(opened, this.#assertContinues(source, opened));
      return reader;
    };
    this.#reader = await sources.firstThatGives(attempt, reason === 'moved' ? undefined : reason);
    if (this.#signal.aborted) this.#reader.close();
    sources.flowing();
  }

  /** An app has moved the stream on: we go along if the file is the same there, and stay if not. */
  async #consider(source: Source): Promise<void> {
    try {
      const opened = await this.#options.sources.ask(source, 'GET', this.#remaining());
      this.#assertContinues(source, opened);
      opened.response.close();
      this.#switch?.();
    } catch {
      // What is under way still works: the new source is for the requests that come.
    }
  }

  #remaining(): ByteRange {
    const { last } = this.#options.wanted;
    const isToTheEnd = last === undefined || last + 1 === this.#begun.sizeBytes;
    return { kind: 'from', first: this.#next, ...(isToTheEnd ? {} : { last }) };
  }

  /** The bytes to leave out so that the answer goes on where we are. Closes what does not fit. */
  #assertContinues(source: Source, { response, answer }: OpenAnswer): number {
    const skipBytes = this.#next - answer.first;
    const known = this.#known.get(source.url);
    const isSame =
      known === undefined
        ? isSameSize(this.#begun, answer.identity)
        : isSameFile(known, answer.identity);
    const fits = answer.kind !== 'unsatisfiable' && isSame && skipBytes <= MAX_SKIP_BYTES;
    if (!fits) {
      response.close();
      throw changed();
    }
    this.#known.set(source.url, answer.identity);
    return skipBytes;
  }
}

/** Waits until the last byte has gone to the system, or the viewer has. */
const finished = (response: ServerResponse, signal: AbortSignal): Promise<unknown> =>
  once(response, 'finish', { signal }).catch(() => {});

const changed = (): UpstreamError =>
  new UpstreamError('UPSTREAM_CHANGED', {
    message: 'The source no longer has the file that was begun, or cannot go on within it.',
  });
