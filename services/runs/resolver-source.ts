import type { Remuxer } from '#conversion';
import { UpstreamError } from '#kernel/app-error';
import type { Clock, Timers } from '#kernel/clock';
import type { StreamId } from '#kernel/ids';
import { orAbort } from '#kernel/or-abort';
import type { ResolvedInput, ResolvedMedia, ResolverPlan } from '#resolve';
import type { RunHolders } from '#transcode';
import {
  egressOf,
  headersVia,
  headersWithin,
  isNamedByProxy,
  limitOf,
  limitedClient,
} from '#upstream';
import type {
  ConnectionAllowance,
  Egress,
  UpstreamClient,
  UpstreamRequest,
  UpstreamResponse,
} from '#upstream';
import { asOneStream } from './one-stream.ts';
import { PacedResponse } from './paced-response.ts';
import { openRemoteRun } from './remote-run.ts';
import type { RemoteRunOptions } from './remote-run.ts';
import { resolveFailed, resolverLost } from './resolver-error.ts';
import type { ResolverDesk } from './resolver-desk.ts';
import { textOf } from './text-of.ts';

export type ResolverSourcesOptions = {
  readonly desk: ResolverDesk;
  /** What a program opens counts as one connection, for as long as it runs. */
  readonly allowance: ConnectionAllowance;
  readonly holders: RunHolders;
  readonly remote: RemoteRunOptions;
  readonly apiUrl: () => string;
  /** The way out of requests that name none. */
  readonly egress: Egress | undefined;
  /** Refuses a page that may not be reached, as far as can be told before it is opened. */
  readonly guard: (url: string, isProxied: boolean) => Promise<void>;
  /** Reads playlists as transport streams; one for each reader. */
  readonly playlists: () => UpstreamClient;
  readonly files: UpstreamClient;
  readonly remuxer: Remuxer;
  readonly clock: Clock;
  readonly timers: Timers;
};

type Resolved = { readonly id: StreamId; readonly plan: ResolverPlan };

/** Opens pages of streams with a resolver as the media that they play. */
export class ResolverSources {
  readonly #options: ResolverSourcesOptions;
  readonly #open = new Map<StreamId, number>();

  constructor(options: ResolverSourcesOptions) {
    this.#options = options;
  }

  /** A client for one reader of a stream: what it is asked for are pages. */
  client(resolved: Resolved): UpstreamClient {
    return { open: (request, signal) => this.#openHeld(resolved, request, signal) };
  }

  /** The media of a stream is opened by one api process; the others read from there. */
  async #openHeld(
    resolved: Resolved,
    request: UpstreamRequest,
    signal: AbortSignal,
  ): Promise<UpstreamResponse> {
    const { holders, apiUrl, remote, clock, timers } = this.#options;
    const { id } = resolved;
    const holder = await holders.take(id, apiUrl());
    if (holder !== apiUrl()) {
      return openRemoteRun({ ...remote, lost: resolverLost }, { holder, streamId: id }, signal);
    }
    this.#count(id, 1);
    try {
      const media = await this.#openPage(resolved, request, signal);
      return new PacedResponse(media, { clock, timers, closed: () => this.#count(id, -1) });
    } catch (error) {
      this.#count(id, -1);
      throw error;
    }
  }

  async #openPage(
    { id, plan }: Resolved,
    request: UpstreamRequest,
    signal: AbortSignal,
  ): Promise<UpstreamResponse> {
    const { desk, guard, egress, allowance } = this.#options;
    const { url, headers } = request;
    const way = egressOf(headers) ?? egress ?? null;
    if (way?.kind === 'template') throw resolveFailed('egress');
    await orAbort(guard(url, isNamedByProxy(way)), signal);
    const order = { url, headers, plan, egress: way };
    const program: UpstreamClient = { open: (_request, closing) => desk.open(id, order, closing) };
    const found = await limitedClient(program, { allowance, use: 'page' }).open(request, signal);
    if (plan.program === 'streamlink') return found;
    const media = await orAbort(textOf(found), signal);
    return this.#openMedia(JSON.parse(media) as ResolvedMedia, headers, signal);
  }

  /** What yt-dlp has found is read by our own engine: no other program sees its addresses. */
  async #openMedia(
    { inputs }: ResolvedMedia,
    page: UpstreamRequest['headers'],
    signal: AbortSignal,
  ): Promise<UpstreamResponse> {
    const opened: UpstreamResponse[] = [];
    try {
      for (const input of inputs) opened.push(await this.#openInput(input, page, signal));
      return await asOneStream({ inputs, opened, remuxer: this.#options.remuxer }, signal);
    } catch (error) {
      for (const response of opened) response.close();
      throw error;
    }
  }

  async #openInput(
    { url, headers, isPlaylist }: ResolvedInput,
    page: UpstreamRequest['headers'],
    signal: AbortSignal,
  ): Promise<UpstreamResponse> {
    const { playlists, files } = this.#options;
    const client = isPlaylist ? playlists() : files;
    const request = {
      method: 'GET',
      url,
      headers: headersWithin(limitOf(page), headersVia(egressOf(page), headers)),
      timeouts: TIMEOUTS,
    } as const;
    const response = await client.open(request, signal);
    if (response.status >= 200 && response.status <= 299) return response;
    response.close();
    throw new UpstreamError('UPSTREAM_STATUS', {
      message: `The source answered with status ${response.status}.`,
      details: { status: response.status },
    });
  }

  #count(id: StreamId, change: 1 | -1): void {
    const open = (this.#open.get(id) ?? 0) + change;
    if (open > 0) this.#open.set(id, open);
    else this.#open.delete(id);
    if (open === 0) this.#options.holders.release(id, this.#options.apiUrl());
  }
}

const TIMEOUTS = { connectMs: 10_000, headersMs: 15_000 };
