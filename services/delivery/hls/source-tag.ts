import { createHash } from 'node:crypto';
import type { Source } from '#streams';
import { Lru } from './lru.ts';

const remembered = new Lru<string, string>(256);

/** A short name for a source that stays the same for its URL, in every process. */
export function sourceTagOf({ url }: Source): string {
  const known = remembered.get(url);
  if (known !== undefined) return known;
  const tag = createHash('sha256').update(url).digest('base64url').slice(0, 8);
  remembered.set(url, tag);
  return tag;
}
