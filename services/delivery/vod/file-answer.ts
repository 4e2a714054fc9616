import { MediaError, UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { UpstreamResponse } from '#upstream';
import { type ByteRange, type Span, spanOf } from '#kernel/byte-range';
import { parseContentRange } from './content-range.ts';
import type { FileIdentity } from './file-identity.ts';
import { isPlaylistType, isTextType, mediaTypeOf } from './media-type.ts';

/** What a source's head says about a file. */
export type FileAnswer = {
  /** `unsatisfiable`: the range lies outside of the file. */
  readonly kind: 'whole' | 'part' | 'unsatisfiable';
  /** Offset of the first byte that follows. */
  readonly first: number;
  /** Offset of the last one, where the source says so. */
  readonly last: number | undefined;
  readonly identity: FileIdentity;
  /** The source serves parts of this file. */
  readonly hasRanges: boolean;
  readonly contentType: string;
  /** A coding that nobody asked for; players may know it. */
  readonly contentEncoding: string | undefined;
};

/** The head of an answer, without its body. */
export type AnswerHead = Pick<UpstreamResponse, 'status' | 'headers'>;

/**
 * Reads the head of an answer to a request for `asked`.
 *
 * @param url - Of the source, for its extension.
 * @throws UpstreamError `UPSTREAM_STATUS`, `UPSTREAM_PROTOCOL` when the part is not the one asked
 *   for; MediaError `UPSTREAM_WRONG_TYPE` for pages and playlists.
 */
export function readAnswer(head: AnswerHead, asked: ByteRange, url: string): FileAnswer {
  const { status, headers } = head;
  const extent = extentOf(head, asked);
  const declared = headers.get('content-type');
  if (extent.kind !== 'unsatisfiable' && isPlaylistType(declared)) throw playlistFound();
  if (extent.kind !== 'unsatisfiable' && isTextType(declared)) throw notMedia();
  return {
    ...extent,
    contentType: mediaTypeOf(declared, url),
    contentEncoding: codingOf(headers.get('content-encoding')),
    hasRanges: status === 206 || /\bbytes\b/i.test(headers.get('accept-ranges') ?? ''),
  };
}

function extentOf({ status, headers }: AnswerHead, asked: ByteRange): Extent {
  if (status === 200) return wholeOf(headers);
  if (status === 206) return partOf(headers, asked);
  if (status === 416) return noneOf(headers);
  throw statusError(status);
}

type Headers = ReadonlyMap<string, string>;
type Extent = Pick<FileAnswer, 'kind' | 'first' | 'last' | 'identity'>;

function wholeOf(headers: Headers): Extent {
  const sizeBytes = lengthOf(headers);
  const last = sizeBytes === undefined ? undefined : sizeBytes - 1;
  return { kind: 'whole', first: 0, last, identity: identityOf(headers, sizeBytes) };
}

function partOf(headers: Headers, asked: ByteRange): Extent {
  const { span, sizeBytes } = parseContentRange(headers.get('content-range') ?? '') ?? {};
  if (span === undefined || !answers(span, asked, sizeBytes)) {
    throw new UpstreamError('UPSTREAM_PROTOCOL', {
      message: 'The source answered with another part of the file than was asked for.',
    });
  }
  return { kind: 'part', ...span, identity: identityOf(headers, sizeBytes) };
}

/** A shorter part than was asked for is an answer too; one that begins elsewhere is not. */
function answers({ first }: Span, asked: ByteRange, sizeBytes: number | undefined): boolean {
  if (asked.kind === 'from') return first === asked.first;
  return sizeBytes === undefined || first === spanOf(asked, sizeBytes)?.first;
}

function noneOf(headers: Headers): Extent {
  const { sizeBytes } = parseContentRange(headers.get('content-range') ?? '') ?? {};
  const identity = identityOf(headers, sizeBytes);
  return { kind: 'unsatisfiable', first: 0, last: undefined, identity };
}

const identityOf = (headers: Headers, sizeBytes: number | undefined): FileIdentity => ({
  sizeBytes,
  etag: headers.get('etag'),
  lastModified: headers.get('last-modified'),
});

function lengthOf(headers: Headers): number | undefined {
  const text = headers.get('content-length')?.split(',', 1)[0] ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

const codingOf = (coding: string | undefined): string | undefined =>
  coding === undefined || /^identity$/i.test(coding) ? undefined : coding;

export const statusError = (status: number): UpstreamError =>
  new UpstreamError('UPSTREAM_STATUS', {
    message: `The source answered with status ${status}.`,
    details: { status },
  });

export const notMedia = (): MediaError =>
  new MediaError('UPSTREAM_WRONG_TYPE', {
    message: 'The source answered with something else than a media file.',
  });

/** A playlist where a file is due: the stream is HLS, which its URL did not tell. */
export const playlistFound = (): MediaError =>
  new MediaError('UPSTREAM_WRONG_TYPE', {
    message: 'The source answered with a playlist.',
    details: { found: 'playlist' },
  });

export const isPlaylistFound = (error: AppError): boolean => error.details['found'] === 'playlist';
