import { createHash } from 'node:crypto';
import type { Source } from '#streams';

/** A source object lives until the stream moves on: its tag is made once. */
const tags = new WeakMap<Source, string>();

/** A short name for a source that stays the same for its URL, in every process. */
export function sourceTagOf(source: Source): string {
  const known = tags.get(source);
  if (known !== undefined) return known;
  const tag = tagOfUrl(source.url);
  tags.set(source, tag);
  return tag;
}

export const tagOfUrl = (url: string): string =>
  createHash('sha256').update(url).digest('base64url').slice(0, 8);
