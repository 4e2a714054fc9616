import { statusError } from '#delivery/hls';
import { SharedLoads, sourceTagOf } from '#delivery/viewing';
import { AppError, MediaError } from '#kernel/app-error';
import type { HandleCodec } from '#hls';
import type { Clock } from '#kernel/clock';
import type { Source, SourceWalk, Stream } from '#streams';
import type { FetchedText, TextClient } from '#upstream';
import type { ManifestLink } from './manifest-links.ts';
import { rewriteManifest } from './rewrite-manifest.ts';
import { malformed } from './xml-tags.ts';

/** A link whose URL is sealed: what is left to write is the viewer's part. */
export type SealedLink = Pick<ManifestLink, 'kind' | 'rest'> & { readonly handle: string };

/** A manifest for all viewers. */
export type LoadedManifest = {
  readonly pieces: readonly (string | SealedLink)[];
  readonly encoding: FetchedText['encoding'];
  readonly source: Source;
  readonly freshUntilMs: number;
};

export type ManifestLoaderOptions = {
  readonly stream: Stream;
  readonly texts: TextClient;
  readonly handles: HandleCodec;
  readonly maxBytes: number;
  /** For one exchange. */
  readonly timeoutMs: number;
  readonly clock: Clock;
};

const FINISHED_MS = 10_000;
const DEFAULT_UPDATE_MS = 2_000;
const MIN_FRESH_MS = 500;
const MAX_FRESH_MS = 5_000;

/** The manifest of one stream: asked once for all viewers, of whichever source gives one. */
export class ManifestLoader {
  readonly #options: ManifestLoaderOptions;
  readonly #walk: SourceWalk;
  readonly #loads = new SharedLoads<LoadedManifest>();
  #last: LoadedManifest | undefined;

  constructor(options: ManifestLoaderOptions) {
    this.#options = options;
    this.#walk = options.stream.walk();
  }

  /**
   * The manifest as it is now, or was a moment ago.
   * @throws AppError when no source gives one; the signal's reason.
   */
  async load(signal: AbortSignal): Promise<LoadedManifest> {
    const { clock, stream } = this.#options;
    const last = this.#last;
    const isFresh = last?.source.url === this.#walk.current.url;
    if (last && isFresh && clock.monotonicMs() < last.freshUntilMs) return last;
    const load = (shared: AbortSignal) => this.#load(AbortSignal.any([shared, stream.removed]));
    this.#last = await this.#loads.run('manifest', load, signal);
    return this.#last;
  }

  async #load(signal: AbortSignal): Promise<LoadedManifest> {
    const { stream } = this.#options;
    let source = this.#walk.current;
    for (;;) {
      const outcome = await this.#try(source, signal);
      if ('loaded' in outcome) {
        this.#walk.flowing();
        if (stream.kind !== 'dash') stream.learnKind('dash');
        return outcome.loaded;
      }
      // A stream of another kind that is asked by mistake must not lose its source over it.
      if (stream.kind !== 'dash') throw outcome.failure;
      source = await this.#walk.failed(source, outcome.failure, signal);
    }
  }

  async #try(
    source: Source,
    signal: AbortSignal,
  ): Promise<{ loaded: LoadedManifest } | { failure: AppError }> {
    try {
      return { loaded: await this.#from(source, signal) };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof AppError && error.code !== 'INTERNAL') return { failure: error };
      throw error;
    }
  }

  async #from(source: Source, signal: AbortSignal): Promise<LoadedManifest> {
    const { texts, maxBytes, timeoutMs, clock } = this.#options;
    const { url, headers } = source;
    const fetched = await texts.get({ url, headers, maxBytes, timeoutMs }, signal);
    assertManifest(fetched);
    const { text, encoding, finalUrl } = fetched;
    const rewritten = rewriteManifest(text, { baseUrl: finalUrl, nowMs: clock.nowMs() });
    return {
      pieces: rewritten.pieces.map((piece) =>
        typeof piece === 'string' ? piece : this.#sealed(piece, source),
      ),
      encoding,
      source,
      freshUntilMs: clock.monotonicMs() + freshMs(rewritten),
    };
  }

  #sealed({ kind, url, rest }: ManifestLink, source: Source): SealedLink {
    const { handles, stream } = this.#options;
    const target = { kind: kind === 'folder' ? 'folder' : 'segment', url } as const;
    const handle = handles.seal(stream.id, { ...target, source: sourceTagOf(source) });
    return { kind, rest, handle };
  }
}

const freshMs = ({ isLive, updateMs = DEFAULT_UPDATE_MS }: ReturnType<typeof rewriteManifest>) =>
  isLive ? Math.min(MAX_FRESH_MS, Math.max(MIN_FRESH_MS, updateMs / 2)) : FINISHED_MS;

const LOOKED_AT = 4_096;

function assertManifest({ status, text }: FetchedText): void {
  if (status < 200 || status > 299) throw statusError(status);
  if (/<(?:[\w.-]+:)?MPD[\s>]/.test(text.slice(0, LOOKED_AT))) return;
  if (/^\s*(?:#EXTM3U|<)/.test(text)) throw malformed('It is something else.');
  throw new MediaError('UPSTREAM_WRONG_TYPE', {
    message: 'The source answered with something else than a manifest.',
  });
}
