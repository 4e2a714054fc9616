import { MediaError } from '#kernel/app-error';
import { isPlaylist, pathwayTarget, rewriteAssetList, rewriteSteeringManifest } from '#hls';
import type { DocumentOptions, HandleCodec, ResourceKind, Target } from '#hls';
import type { FetchedText, TextClient } from '#upstream';
import { childUrl, PATHWAY_PARAM, withQuery } from '#delivery/viewing';
import type { HlsStream } from './playlists/hls-stream.ts';
import type { Presence } from '#delivery/viewing';
import type { SegmentAnswer } from './segment-answers/segment-delivery.ts';

/** One viewer's request for a JSON document. */
export type DocumentExchange = {
  readonly hls: HlsStream;
  readonly presence: Presence;
  readonly target: Target;
  /** What the player has to say to the document's server, as a query, or empty. */
  readonly directives: string;
  /** Absolute URL of the folder that our links stand in, or empty. */
  readonly here: string;
  /** Aborts when the viewer leaves or is ended. */
  readonly signal: AbortSignal;
};

export type DocumentDeliveryOptions = {
  readonly texts: TextClient;
  readonly handles: HandleCodec;
  /** For one exchange. */
  readonly timeoutMs: number;
};

type Asset = Parameters<DocumentOptions['toLocal']>[0];

/** Lists of advertisements and of pathways are a few kilobytes. */
const MAX_BYTES = 1024 * 1024;

const DOCUMENTS: ReadonlySet<ResourceKind> = new Set(['asset-list', 'steering']);

export const isDocument = ({ kind }: Target): boolean => DOCUMENTS.has(kind);

/**
 * JSON documents that name playlists, each fetched for one viewer (servers write them for one) and
 * rewritten, so that what they name comes through here as well.
 */
export class DocumentDelivery {
  readonly #options: DocumentDeliveryOptions;

  constructor(options: DocumentDeliveryOptions) {
    this.#options = options;
  }

  /**
   * A refusal of the document's server is the answer, by its status alone: 410 ends steering.
   * @throws UpstreamError; MediaError `UPSTREAM_WRONG_TYPE` for what is no JSON object.
   */
  async open(exchange: DocumentExchange): Promise<SegmentAnswer> {
    const { hls, target, directives, signal } = exchange;
    const request = {
      url: withQuery(target.url, directives),
      headers: hls.source.headers,
      maxBytes: MAX_BYTES,
      timeoutMs: this.#options.timeoutMs,
    };
    const fetched = await this.#options.texts.get(request, signal);
    const { status } = fetched;
    if (status < 200 || status > 299) return answer(exchange, { status, body: Buffer.alloc(0) });
    if (isPlaylist(fetched.text)) throw isNoDocument();
    return answer(exchange, { status: 200, body: Buffer.from(this.#rewrite(fetched, exchange)) });
  }

  #rewrite({ text, finalUrl }: FetchedText, exchange: DocumentExchange): string {
    const { hls, presence, target, here } = exchange;
    const { source } = target;
    const { handles } = this.#options;
    const { id } = hls.stream;
    const suffix = presence.linkSuffix;
    const toLocal: DocumentOptions['toLocal'] = ({ kind, url }) =>
      childUrl(handles, id, { kind, url, source }) + suffix;
    if (target.kind === 'asset-list') {
      const options = { baseUrl: finalUrl, toLocal: (asset: Asset) => here + toLocal(asset) };
      return rewriteAssetList(text, options);
    }
    return rewriteSteeringManifest(text, {
      baseUrl: finalUrl,
      toLocal,
      toParams: (replacement) => {
        const pathway = pathwayTarget(replacement, source);
        return pathway && { [PATHWAY_PARAM]: handles.seal(id, pathway) };
      },
    });
  }
}

function answer(
  { presence }: DocumentExchange,
  { status, body }: { readonly status: number; readonly body: Buffer },
): SegmentAnswer {
  const type = body.length === 0 ? {} : { 'content-type': 'application/json' };
  return {
    status,
    headers: { ...type, 'content-length': String(body.length), 'cache-control': 'no-store' },
    clientId: presence.clientId,
    send: async (outlet) => {
      outlet.end(body);
      presence.served(body.length);
      presence.close('document_answered');
    },
  };
}

const isNoDocument = (): MediaError =>
  new MediaError('UPSTREAM_WRONG_TYPE', {
    message: 'The source answered with a playlist where a JSON document is due.',
  });
