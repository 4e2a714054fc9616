import type { ServerResponse } from 'node:http';
import { AppError } from '#kernel/app-error';
import { endedViewing } from '#streams';
import type { Source, Stream, ViewerConnection } from '#streams';
import type { ByteRange } from '#kernel/byte-range';
import { describeFile } from './describe-file.ts';
import { type FileAnswer, isPlaylistFound, statusError } from './file-answer.ts';
import { conditionHolds } from './file-identity.ts';
import { FileOutlet, UNPACED } from './file-outlet.ts';
import type { FileRequest } from './file-request.ts';
import { FileSources, type OpenFile, type VodOptions, WHOLE } from './file-sources.ts';
import { FileTransfer, type TransferEnd } from './file-transfer.ts';
import { headersOf, unsatisfiedHeaders, type VodResponse, wantedOf } from './vod-response.ts';

/** Players seek by new requests: between two of them the viewer has not left. */
const LINGER_MS = 500;

/** Delivery of files: ranges, and transfers that survive their sources. */
export class VodDelivery {
  readonly #options: VodOptions;

  constructor(options: VodOptions) {
    this.#options = options;
  }

  /**
   * Finds a source that gives the file. Resolves when its first bytes have come (after HEAD: its
   * description), so that a source that fails before is passed over unseen.
   *
   * When an app moves the stream on, a file under way goes along if it is the same there, and stays
   * with its source if not. Several ranges at once are for the caller to ignore.
   *
   * @returns `playlist` when the source proves to be HLS; the stream has learnt it.
   * @param gone - The viewer's leaving, at any time: closes the upstream at once.
   * @throws AppError when no source gave the file, or the stream was removed meanwhile; the
   *   signal's reason when the viewer left.
   */
  async open(
    stream: Stream,
    request: FileRequest,
    gone: AbortSignal,
  ): Promise<VodResponse | 'playlist'> {
    try {
      if (request.method === 'HEAD') return await this.#describe(stream, request, gone);
      return await this.#watch(stream, request, gone);
    } catch (error) {
      if (!(error instanceof AppError && isPlaylistFound(error))) throw error;
      stream.learnKind('hls');
      return 'playlist';
    }
  }

  async #watch(stream: Stream, request: FileRequest, gone: AbortSignal): Promise<VodResponse> {
    const connection = stream.join(request.viewer, LINGER_MS);
    const viewing: Viewing = { stream, request, connection, gone };
    gone.addEventListener('abort', () => connection.close('client_disconnected'), { once: true });
    try {
      return await this.#begin(viewing);
    } catch (error) {
      connection.close(gone.aborted ? 'client_disconnected' : 'sources_failed');
      if (connection.ended.aborted && !gone.aborted) throw endedViewing(stream, connection.ended);
      throw error;
    }
  }

  async #describe(stream: Stream, request: FileRequest, gone: AbortSignal): Promise<VodResponse> {
    const signal = AbortSignal.any([gone, stream.removed]);
    const sources = new FileSources(this.#options, stream, signal);
    const answer = await describeFile(sources).catch((error: unknown) => {
      throw stream.removed.aborted && !gone.aborted ? endedViewing(stream, signal) : error;
    });
    const isPartial =
      request.range !== undefined && conditionHolds(request.condition, answer.identity);
    const wanted = wantedOf(isPartial ? request : {}, answer);
    if (wanted === undefined) return { status: 416, headers: unsatisfiedHeaders(answer) };
    return { status: wanted.status, headers: headersOf(wanted, answer) };
  }

  async #begin({ stream, request, connection, gone }: Viewing): Promise<VodResponse> {
    const signal = AbortSignal.any([gone, connection.ended]);
    const sources = new FileSources(this.#options, stream, signal);
    const found = await sources.firstThatGives((source) => find(sources, source, request));
    const { file, source, answer, range } = found;
    const wanted = wantedOf(range === undefined ? {} : { range }, answer);
    if (file === undefined || wanted === undefined) {
      file?.reader.close();
      connection.close('range_not_satisfiable');
      return { status: 416, headers: unsatisfiedHeaders(answer) };
    }
    sources.flowing();
    const over = (how: TransferEnd): void => connection.close(LEAVE_REASONS[how]);
    const outletTo = this.#outletFor(connection);
    const body = new FileTransfer({ sources, source, file, wanted, outletTo, signal, over });
    const headers = { ...headersOf(wanted, answer), 'X-Client-ID': connection.clientId };
    return { status: wanted.status, headers, body };
  }

  #outletFor(connection: ViewerConnection): (response: ServerResponse) => FileOutlet {
    const { pacing = UNPACED, clock, timers } = this.#options;
    const served = (bytes: number): void => connection.served(bytes);
    return (response) => new FileOutlet({ response, pacing, served, clock, timers });
  }
}

type Viewing = {
  readonly stream: Stream;
  readonly request: FileRequest;
  readonly connection: ViewerConnection;
  readonly gone: AbortSignal;
};

type Found = {
  readonly source: Source;
  readonly answer: FileAnswer;
  /** Absent when the range lies outside of the file. */
  readonly file: OpenFile | undefined;
  /** The range that counts. */
  readonly range: ByteRange | undefined;
};

/** Asks one source. The whole file is a range too: the answer tells whether it has parts. */
async function find(sources: FileSources, source: Source, request: FileRequest): Promise<Found> {
  let range = request.range;
  let opened = await sources.ask(source, 'GET', range ?? WHOLE);
  if (range !== undefined && !conditionHolds(request.condition, opened.answer.identity)) {
    range = undefined;
    if (opened.answer.kind !== 'whole') {
      opened.response.close();
      opened = await sources.ask(source, 'GET', WHOLE);
    }
  }
  const { response, answer } = opened;
  if (answer.kind !== 'unsatisfiable') {
    return { source, answer, range, file: await sources.begin(opened) };
  }
  response.close();
  if (range === undefined) throw statusError(response.status);
  return { source, answer, range, file: undefined };
}

const LEAVE_REASONS = {
  complete: 'stream_ended',
  failed: 'sources_failed',
  left: 'client_disconnected',
} as const satisfies Record<TransferEnd, string>;
