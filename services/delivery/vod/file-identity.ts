import type { RangeCondition } from '#kernel/byte-range';

/** What tells whether two answers carry the same file. */
export type FileIdentity = {
  readonly sizeBytes: number | undefined;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
};

/**
 * Whether an answer of the same source carries the file that we began with: a file that was
 * replaced must not be spliced. Without any proof the answer is no.
 */
export function isSameFile(begun: FileIdentity, now: FileIdentity): boolean {
  const isSameSize = agree(begun.sizeBytes, now.sizeBytes);
  const isSameTag = agree(opaque(begun.etag), opaque(now.etag));
  if (isSameSize === false || isSameTag === false) return false;
  if (isSameTag === undefined && agree(begun.lastModified, now.lastModified) === false)
    return false;
  return isSameSize === true || (isSameTag === true && isStrong(now.etag));
}

/**
 * Whether another source has the same file. Validators differ from server to server, so only the
 * exact size can tell.
 */
export const isSameSize = (begun: FileIdentity, now: FileIdentity): boolean =>
  agree(begun.sizeBytes, now.sizeBytes) === true;

/** Whether `If-Range` holds: by strong comparison only (RFC 9110 §13.1.5). */
export function conditionHolds(
  condition: RangeCondition | undefined,
  { etag, lastModified }: FileIdentity,
): boolean {
  if (condition === undefined) return true;
  if (condition.kind === 'date') return condition.date === lastModified;
  return isStrong(condition.etag) && condition.etag === etag;
}

/** Nothing when one side does not say. */
function agree<T>(one: T | undefined, other: T | undefined): boolean | undefined {
  return one === undefined || other === undefined ? undefined : one === other;
}

const opaque = (etag: string | undefined): string | undefined => etag?.replace(/^W\//, '');

const isStrong = (etag: string | undefined): boolean => etag?.startsWith('"') === true;
