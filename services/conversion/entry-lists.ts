import { MediaError, UpstreamError } from '#kernel/app-error';
import { bestVariant, readMediaList } from '#hls';
import type { BestVariant, MediaList, Variables } from '#hls';
import { statusOf } from '#upstream';
import type { FetchPlaylist, PlaylistText } from './ports.ts';

/** A media playlist of a source, with how to read it again. */
export type FoundList = {
  readonly first: MediaList;
  /** Where the entry has lost it, it is looked up once more. */
  readonly reload: (signal: AbortSignal) => Promise<MediaList>;
};

/** What is to be read of a source: one list, or pictures and sound apart. */
export type EntryLists = { readonly main: FoundList; readonly sound?: FoundList };

type Request = { readonly url: string; readonly headers: Readonly<Record<string, string>> };

export type EntryOptions = { readonly fetch: FetchPlaylist; readonly request: Request };

/**
 * The lists that a source's own playlist leads to: itself, or its best variant with its sound.
 * @throws UpstreamError, MediaError as the fetcher; `PLAYLIST_MALFORMED` where it leads nowhere.
 */
export async function listsOf(
  { fetch, request }: EntryOptions,
  entry: PlaylistText,
  signal: AbortSignal,
): Promise<EntryLists> {
  if (entry.facts.shape === 'media') return { main: ownList(fetch, request, entry) };
  const lists = new VariantLists(fetch, request, variantOf(entry));
  const main = await lists.open('url', signal);
  return lists.best.audioUrl === undefined
    ? { main }
    : { main, sound: await lists.open('audioUrl', signal) };
}

function ownList(fetch: FetchPlaylist, request: Request, entry: PlaylistText): FoundList {
  const reload = async (signal: AbortSignal): Promise<MediaList> =>
    mediaListOf(await fetch(request, signal));
  return { first: mediaListOf(entry), reload };
}

class VariantLists {
  readonly #fetch: FetchPlaylist;
  readonly #request: Request;
  best: BestVariant;

  constructor(fetch: FetchPlaylist, request: Request, best: BestVariant) {
    this.#fetch = fetch;
    this.#request = request;
    this.best = best;
  }

  async open(which: 'url' | 'audioUrl', signal: AbortSignal): Promise<FoundList> {
    const load = async (closing: AbortSignal): Promise<MediaList> => {
      const url = this.best[which];
      if (url === undefined) throw leadsNowhere();
      return mediaListOf(
        await this.#fetch({ ...this.#request, url }, closing),
        this.best.variables,
      );
    };
    const reload = async (closing: AbortSignal): Promise<MediaList> => {
      try {
        return await load(closing);
      } catch (error) {
        if (!isLost(error)) throw error;
        // The provider may have renewed the token in the URL: the entry leads to the new one.
        const entry = await this.#fetch(this.#request, closing);
        this.best = variantOf(entry);
        return load(closing);
      }
    };
    return { first: await load(signal), reload };
  }
}

const LOST = new Set([401, 403, 404, 410]);

const isLost = (error: unknown): boolean =>
  error instanceof UpstreamError && LOST.has(statusOf(error) ?? 0);

function mediaListOf(fetched: PlaylistText, imported?: Variables): MediaList {
  if (fetched.facts.shape !== 'media') throw leadsNowhere();
  const { text, finalUrl: baseUrl, encoding } = fetched;
  return readMediaList(text, { baseUrl, encoding, ...(imported ? { imported } : {}) });
}

function variantOf({ text, finalUrl: baseUrl, encoding }: PlaylistText): BestVariant {
  const best = bestVariant(text, { baseUrl, encoding });
  if (best === undefined) throw leadsNowhere();
  return best;
}

const leadsNowhere = (): MediaError =>
  new MediaError('PLAYLIST_MALFORMED', { message: 'The playlist leads to no media.' });
