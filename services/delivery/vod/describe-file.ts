import type { AppError } from '#kernel/app-error';
import type { Source } from '#streams';
import type { ByteRange } from '#kernel/byte-range';
import { type FileAnswer, statusError } from './file-answer.ts';
import type { FileSources } from './file-sources.ts';

const FIRST_BYTE: ByteRange = { kind: 'from', first: 0, last: 0 };

/**
 * Learns about a file without its bytes: by HEAD, and where a source refuses that or says too
 * little, by the head of a GET for one byte.
 */
export function describeFile(sources: FileSources): Promise<FileAnswer> {
  return sources.firstThatGives(async (source) => {
    const told = (await byHead(sources, source)) ?? (await byFirstByte(sources, source));
    // Nothing has been opened yet: any part can still be had, if there is a size to reckon by.
    const hasParts = told.hasRanges && told.identity.sizeBytes !== undefined;
    return { ...told, kind: hasParts ? 'part' : 'whole' };
  });
}

async function byHead(sources: FileSources, source: Source): Promise<FileAnswer | undefined> {
  try {
    const { response, answer } = await sources.ask(source, 'HEAD');
    response.close();
    const isTelling = answer.hasRanges && answer.identity.sizeBytes !== undefined;
    return isTelling ? answer : undefined;
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

/** Sources that cannot do HEAD answer it with any status, or with a page. */
const isRefusal = (error: unknown): boolean =>
  ['UPSTREAM_STATUS', 'UPSTREAM_WRONG_TYPE', 'UPSTREAM_PROTOCOL', 'UPSTREAM_RESET'].includes(
    (error as Partial<AppError>).code ?? '',
  );

async function byFirstByte(sources: FileSources, source: Source): Promise<FileAnswer> {
  const { response, answer } = await sources.ask(source, 'GET', FIRST_BYTE);
  response.close();
  if (answer.kind === 'unsatisfiable') throw statusError(response.status);
  return answer;
}
