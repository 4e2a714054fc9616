import type { Track, TrackUrl } from '#hls';

/** The tracks that one multivariant playlist names, found by their place or their address. */
export class NamedTracks {
  readonly #tracks: readonly TrackUrl[];
  readonly #byKey = new Map<string, TrackUrl | 'several'>();

  constructor(tracks: readonly TrackUrl[]) {
    this.#tracks = tracks;
  }

  /** The one in the same place. */
  like(track: Track): TrackUrl | undefined {
    return this.#find(placeOf(track));
  }

  /** The one at this very address. */
  at(url: string): TrackUrl | undefined {
    return this.#find(url);
  }

  /**
   * The one that a rendition report means, which names it as another playlist of the same server
   * would: the token of the multivariant playlist may be missing, and the host may be where a
   * redirect has led. Nothing where several could be meant.
   */
  reported(url: string): TrackUrl | undefined {
    return this.at(url) ?? this.#find(addressOf(url)) ?? this.#find(pathOf(url));
  }

  #find(key: string): TrackUrl | undefined {
    if (this.#byKey.size === 0) for (const named of this.#tracks) this.#name(named);
    const found = this.#byKey.get(key);
    return found === 'several' ? undefined : found;
  }

  #name(named: TrackUrl): void {
    const { track, url } = named;
    this.#byKey.set(placeOf(track), named);
    if (!this.#byKey.has(url)) this.#byKey.set(url, named);
    for (const key of new Set([addressOf(url), pathOf(url)])) this.#nameBy(key, named);
  }

  /** One address may have several names: audio that is also a variant. */
  #nameBy(key: string, named: TrackUrl): void {
    const known = this.#byKey.get(key);
    if (known === undefined) this.#byKey.set(key, named);
    else if (known === 'several' || known.url !== named.url) this.#byKey.set(key, 'several');
  }
}

const placeOf = ({ role, ordinal }: Track): string => `${role} ${ordinal}`;

const withoutQuery = (url: string): string => url.replace(/[?#].*$/s, '');

/** Neither can be mistaken for a whole URL. */
const addressOf = (url: string): string => `address ${withoutQuery(url)}`;
const pathOf = (url: string): string => `path ${withoutQuery(url).replace(/^\w+:\/\/[^/]*/, '')}`;
