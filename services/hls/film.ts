import { createHash } from 'node:crypto';
import { linesOf } from './lines.ts';
import { rewritePlaylist } from './rewrite-playlist.ts';
import type { Reference, RewriteOptions } from './rewrite-playlist.ts';
import { tagOf, valueOf } from './tag-line.ts';
import type { ResourceKind } from './uri-tags.ts';

/** Where a resource stands in a finished playlist, so that a mirror's can be asked for its like. */
export type Place = {
  /** Names the cut of the film: equal for playlists that agree in every duration and range. */
  readonly cut: string;
  /** Among the resources of its kind, counted from 0, each URL once. */
  readonly index: number;
};

/** The resources that a finished playlist lists, each URL once, in order. */
export type Film = {
  readonly cut: string;
  readonly urls: ReadonlyMap<ResourceKind, readonly string[]>;
};

/** The name of a film's cut: two playlists with the same one list the same pieces. */
export function cutOf(text: string): string {
  const hash = createHash('sha256');
  for (const { start, end } of linesOf(text)) {
    const line = text.slice(start, end);
    const tag = tagOf(line);
    if (tag === 'EXTINF') hash.update(`${Number.parseFloat(valueOf(line))}\n`);
    else if (tag === 'EXT-X-BYTERANGE') hash.update(`${valueOf(line)}\n`);
  }
  return hash.digest('base64url').slice(0, 8);
}

/** Takes a finished playlist apart into what it lists. */
export function filmOf(text: string, options: Omit<RewriteOptions, 'toLocal'>): Film {
  const places = new Places(cutOf(text));
  const toLocal = ({ kind, url, written }: Reference): string => {
    places.of(kind, url);
    return written;
  };
  rewritePlaylist(text, { ...options, toLocal });
  return { cut: places.cut, urls: places.urls };
}

/** Numbers the resources of one film as its text is gone through. */
export class Places {
  readonly cut: string;
  readonly #indexes = new Map<ResourceKind, Map<string, number>>();

  constructor(cut: string) {
    this.cut = cut;
  }

  of(kind: ResourceKind, url: string): Place {
    const indexes = this.#indexes.get(kind) ?? new Map<string, number>();
    this.#indexes.set(kind, indexes);
    const index = indexes.get(url) ?? indexes.size;
    indexes.set(url, index);
    return { cut: this.cut, index };
  }

  get urls(): ReadonlyMap<ResourceKind, readonly string[]> {
    return new Map([...this.#indexes].map(([kind, indexes]) => [kind, [...indexes.keys()]]));
  }
}
