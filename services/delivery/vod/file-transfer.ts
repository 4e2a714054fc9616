import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type AppError, UpstreamError } from '#kernel/app-error';
import type { Source, ViewerConnection } from '#streams';
import { type FileIdentity, isSameFile, isSameSize } from './file-identity.ts';
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
  readonly connection: ViewerConnection;
  /** Aborts when the viewer has left or is to go. */
  readonly signal: AbortSignal;
  /** Called once, when nothing more will be sent. */
  readonly over: (how: TransferEnd) => void;
};

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
    const end = await this.#send(response).catch((): TransferEnd =>
      this.#signal.aborted ? 'left' : 'failed',
    );
    this.#reader.close();
    if (end !== 'complete') response.destroy();
    this.#options.over(end);
  }

  async #send(response: ServerResponse): Promise<TransferEnd> {
    for (;;) {
      const failure = await this.#flow(response);
      if (failure === undefined) break;
      this.#reader.close();
      await this.#goOn(failure);
    }
    this.#reader.close();
    response.end();
    if (!response.writableFinished) await once(response, 'finish', { signal: this.#signal });
    return 'complete';
  }

  /** Sends what one source gives; resolves with why it gave no more, or when all is sent. */
  #flow(response: ServerResponse): Promise<AppError | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<AppError | undefined>();
    const leave = (): void => reject(this.#signal.reason);
    this.#signal.addEventListener('abort', leave, { once: true });
    if (this.#signal.aborted) leave();
    const sent = (): void => resolve(undefined);
    const take = (bytes: Buffer): boolean => this.#write(response, bytes, sent);
    void this.#reader.flow(take).then((failure) => resolve(failure ?? this.#shortfall()));
    return promise.finally(() => this.#signal.removeEventListener('abort', leave));
  }

  #write(response: ServerResponse, bytes: Buffer, sent: () => void): boolean {
    if (this.#signal.aborted) return false;
    const { last = Infinity } = this.#options.wanted;
    const part = bytes.subarray(0, last - this.#next + 1);
    this.#next += part.length;
    this.#options.connection.served(part.length);
    const reader = this.#reader;
    response.write(part, () => reader.resume());
    // Node corks a response until the next tick; sent at once, the memory is mostly free again.
    response.socket?.uncork();
    if (this.#next > last) sent();
    return response.writableLength === 0;
  }

  /** A body that is complete by its own framing may still be less than the file. */
  #shortfall(): AppError | undefined {
    const { last } = this.#options.wanted;
    if (last === undefined || this.#next > last) return undefined;
    return new UpstreamError('UPSTREAM_TRUNCATED', {
      message: 'The source sent less of the file than there is.',
    });
  }

  async #goOn(failure: AppError): Promise<void> {
    const { sources, wanted } = this.#options;
    const { sizeBytes } = this.#begun;
    const isToTheEnd = wanted.last === undefined || wanted.last + 1 === sizeBytes;
    const last = isToTheEnd || wanted.last === undefined ? {} : { last: wanted.last };
    this.#reader = await sources.firstThatGives(async (source) => {
      const opened = await sources.ask(source, 'GET', { kind: 'from', first: this.#next, ...last });
      const skipBytes = this.#assertContinues(source, opened);
      const { reader } = await sources.begin(opened, skipBytes);
      return reader;
    }, failure);
    if (this.#signal.aborted) this.#reader.close();
    sources.flowing();
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

const changed = (): UpstreamError =>
  new UpstreamError('UPSTREAM_CHANGED', {
    message: 'The source no longer has the file that was begun, or cannot go on within it.',
  });
