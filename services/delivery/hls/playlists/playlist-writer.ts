import { setImmediate as nextTurn } from 'node:timers/promises';
import { Places, cutOf, rewriteLongPlaylist, rewritePlaylist } from '#hls';
import type { HandleCodec, Reference, Target, TrackUrl, Variables } from '#hls';
import type { StreamId } from '#kernel/ids';
import { childUrl, HERE, Lru, urlEnd } from '#delivery/viewing';
import type { FetchedPlaylist } from './fetch-playlist.ts';
import type { ListedSegments } from './listed-segments.ts';
import { NamedTracks } from './named-tracks.ts';
import { NotedSegments } from './noted-segments.ts';
import type { PlaylistAsk } from './playlist-finder.ts';
import { trackOf } from './track-key.ts';

/**
 * Local URLs remembered per stream: a live list repeats all but one with every poll. A list that
 * is longer than this gains nothing, so it is room for 100,000 lines, or a day and a half of
 * 3-second segments: about 24 MB.
 */
const REMEMBERED_URLS = 65_536;
/** What the longest list names, this many times over, is room for its variants; the rest is past. */
const ROOM_FOR_VARIANTS = 8;
/** Less is not worth the trouble: about 1 MB. */
const FEW_URLS = 1_024;

/** Longer texts are rewritten in stretches, so that other viewers do not wait for them. */
const LONG_TEXT_CHARS = 128 * 1024;

/** Of variables that travel in a link, beside a URL of up to 8 KiB. */
const MAX_VARIABLE_CHARS = 2_000;

export type WriteContext = {
  /** Tag of the source that the playlist came from; empty for what is none of the stream's own. */
  readonly source: string;
  /** Variables of the multivariant playlist that led to it. */
  readonly imported: Variables;
  /** What it is an answer to: only what the stream's own address gives names tracks of the stream. */
  readonly ask: PlaylistAsk;
  /** Its source's number after the last segment's, where it is followed. */
  readonly endSequence: number | undefined;
  /** The name of the track that it is of, where it is one. */
  readonly trackKey: string | undefined;
  /** It has been finished from the first: what it lists can be had from mirrors. */
  readonly isFilm: boolean;
  /** Tracks of that multivariant playlist: URLs that were published before stay the same. */
  readonly tracks: readonly TrackUrl[];
};

export type PlaylistWriterOptions = {
  readonly streamId: StreamId;
  readonly handles: HandleCodec;
  /** Told which segments each playlist lists. */
  readonly listed: ListedSegments;
};

/** Writes one stream's playlists with local URLs. */
export class PlaylistWriter {
  readonly #options: PlaylistWriterOptions;
  #localUrls = new Lru<string, string>(REMEMBERED_URLS);
  #sealedWith = '';
  /** The most segments that one playlist has named. */
  #longest = 0;

  constructor(options: PlaylistWriterOptions) {
    this.#options = options;
  }

  /** The playlist in pieces, to be joined by each viewer's suffix. */
  async write(
    { text, encoding, finalUrl }: FetchedPlaylist,
    context: WriteContext,
  ): Promise<readonly string[]> {
    this.#forgetOldSeals();
    const noted = new NotedSegments();
    const named = new NamedTracks(context.tracks);
    const places = context.isFilm ? new Places(cutOf(text)) : undefined;
    const toLocal = (reference: Reference): string => {
      noted.note(reference);
      const local =
        reference.kind === 'playlist'
          ? this.#seal(playlistTarget(reference, context, named))
          : this.#localUrl(reference, context, places);
      return reference.isAbsolute ? HERE + local : local;
    };
    const endOf = ({ kind, url }: Reference): string =>
      urlEnd(kind, url, trackOf(context.ask)?.role);
    const options = { baseUrl: finalUrl, encoding, imported: context.imported, toLocal, endOf };
    const pieces =
      text.length > LONG_TEXT_CHARS
        ? await rewriteLongPlaylist(text, options, () => nextTurn())
        : rewritePlaylist(text, options);
    this.#forgetThePast(noted.count);
    const { trackKey, ask, endSequence } = context;
    if (trackKey !== undefined) {
      this.#options.listed.listed(trackKey, { ...noted.all, ask, endSequence });
    }
    return pieces;
  }

  /** After a rotation links are written anew, long before the secret of the old ones is dropped. */
  #forgetOldSeals(): void {
    const { sealedWith } = this.#options.handles;
    if (this.#sealedWith === sealedWith) return;
    this.#sealedWith = sealedWith;
    this.#localUrls = new Lru(REMEMBERED_URLS);
  }

  /** A live list that goes on for days names only so many segments at a time. */
  #forgetThePast(listed: number): void {
    this.#longest = Math.max(this.#longest, listed);
    this.#localUrls.trim(Math.max(FEW_URLS, this.#longest * ROOM_FOR_VARIANTS));
  }

  #localUrl(reference: Reference, context: WriteContext, places: Places | undefined): string {
    const { kind, url } = reference;
    const place = places?.of(kind, url);
    const key = `${kind} ${context.source} ${place?.cut ?? ''} ${url}`;
    const known = this.#localUrls.get(key);
    if (known !== undefined) return known;
    const { source, ask } = context;
    const track = trackOf(ask);
    const like = place ? { place, ...(track ? { track } : {}) } : {};
    const local = this.#seal({ kind, url, source, ...like });
    this.#localUrls.set(key, local);
    return local;
  }

  #seal(target: Target): string {
    return childUrl(this.#options.handles, this.#options.streamId, target);
  }
}

function playlistTarget(
  reference: Reference,
  { source, ask }: WriteContext,
  named: NamedTracks,
): Target {
  const { url, track, variables } = reference;
  if (!track) return namedTarget(reference, source, named);
  if (ask.kind !== 'entry') return { kind: 'playlist', url, source, ...fitting(variables) };
  const like = named.like(track)?.track ?? track;
  return { kind: 'playlist', url, source, track: like, ...fitting(variables) };
}

/** A rendition report names a playlist again, without its place: it must get the same URL. */
function namedTarget({ url, isAbsolute }: Reference, source: string, named: NamedTracks): Target {
  const known = isAbsolute ? named.at(url) : named.reported(url);
  if (!known) return { kind: 'playlist', url, source };
  const { track, variables } = known;
  return { kind: 'playlist', url: known.url, source, track, ...fitting(variables) };
}

/** Of too many the finder knows: it has the multivariant playlist, and a link has its limits. */
const fitting = (variables: Variables): { variables?: Variables } =>
  sizeOf(variables) <= MAX_VARIABLE_CHARS ? { variables } : {};

function sizeOf(variables: Variables): number {
  let size = 0;
  for (const [name, value] of variables) size += name.length + value.length;
  return size;
}
