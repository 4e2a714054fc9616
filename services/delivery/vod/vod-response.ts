import type { ServerResponse } from 'node:http';
import { type FileRequest } from './file-request.ts';
import { type Span, spanOf } from '#kernel/byte-range';
import { formatContentRange, formatUnsatisfied } from './content-range.ts';
import type { FileAnswer } from './file-answer.ts';

/** What to answer a player with. */
export type VodResponse = {
  readonly status: 200 | 206 | 416;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent after HEAD and with status 416. */
  readonly body?: VodBody;
};

/** The bytes of a file on their way. */
export interface VodBody {
  /**
   * Sends all bytes and ends the response, after its head was written. When the sources are used
   * up, or the viewer is sent away, the response is destroyed, so that it does not look complete.
   * Resolves when it is over, however it ended. To be called once.
   */
  pipeTo(response: ServerResponse): Promise<void>;
}

/** Which bytes the player gets. */
export type Wanted = {
  readonly status: 200 | 206;
  readonly first: number;
  /** Absent when nobody knows how long the file is. */
  readonly last: number | undefined;
};

/**
 * What to give for a request, from what the source answered. A source without ranges gives the
 * whole file (RFC 9110 §14.2 leaves it to the server); nothing means: outside of the file.
 */
export function wantedOf(
  request: Pick<FileRequest, 'range'>,
  answer: FileAnswer,
): Wanted | undefined {
  if (answer.kind === 'unsatisfiable') return undefined;
  const { sizeBytes } = answer.identity;
  const end = sizeBytes === undefined ? undefined : sizeBytes - 1;
  const whole: Wanted = { status: 200, first: 0, last: end };
  if (request.range === undefined || !answer.hasRanges) return whole;
  if (sizeBytes === undefined) {
    return answer.kind === 'part' ? { status: 206, first: answer.first, last: answer.last } : whole;
  }
  const span = spanOf(request.range, sizeBytes);
  return span === undefined ? undefined : partOf(span, answer, whole);
}

/** A whole file where a part was asked for: only its beginning can be had without waste. */
function partOf(span: Span, answer: FileAnswer, whole: Wanted): Wanted {
  const isAtHand = answer.kind === 'part' || span.first === 0;
  return isAtHand ? { status: 206, ...span } : whole;
}

/** The headers for what is given. */
export function headersOf(wanted: Wanted, answer: FileAnswer): Record<string, string> {
  const { etag, lastModified, sizeBytes } = answer.identity;
  const { status, first, last } = wanted;
  return defined({
    ...NEVER_CACHED,
    'Content-Type': answer.contentType,
    'Content-Length': last === undefined ? undefined : String(last - first + 1),
    'Content-Range':
      status === 206 && last !== undefined
        ? formatContentRange({ first, last }, sizeBytes)
        : undefined,
    'Content-Encoding': answer.contentEncoding,
    'Accept-Ranges': answer.hasRanges ? 'bytes' : 'none',
    ETag: etag,
    'Last-Modified': lastModified,
  });
}

/** The headers that go with status 416. */
export const unsatisfiedHeaders = ({ identity }: FileAnswer): Record<string, string> => ({
  ...NEVER_CACHED,
  'Content-Range': formatUnsatisfied(identity.sizeBytes),
  'Accept-Ranges': 'bytes',
});

const NEVER_CACHED = {
  'Cache-Control': 'no-cache, no-store, must-revalidate',
  Pragma: 'no-cache',
  Expires: '0',
};

/** What a provider wrote goes on only if it fits into a header. */
const defined = (headers: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && /^[\x20-\x7e]+$/.test(entry[1]),
    ),
  );
