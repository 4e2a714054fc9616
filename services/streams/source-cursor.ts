import { UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { Clock } from '#kernel/clock';
import { isSourceUrl, statusOf } from '#upstream';
import type { StreamDefinition } from './definition.ts';
import type { FailoverResolver } from './ports.ts';

/** A resolver that gives URL after URL must not be asked without end in one outage. */
const RESOLVER_ROUND = 10;

export type Move = {
  readonly oldUrl: string;
  readonly newUrl: string;
  readonly index: number;
  readonly attempt: number;
  readonly reason: string;
};

export type SourceCursorOptions = {
  readonly definition: () => StreamDefinition;
  readonly resolver: FailoverResolver;
  readonly clock: Clock;
  readonly moved: (move: Move) => void;
};

/**
 * Which of a stream's sources is in use, for all its readers. Sources form a ring: the primary,
 * then the backups in order, then the primary again; with a resolver the app names the next one.
 * `generation` grows with every move, so that two readers of one failed source move it on once.
 */
export class SourceCursor {
  readonly #options: SourceCursorOptions;
  #url: string;
  #index = -1;
  #generation = 0;
  #attempts = 0;
  #lastMoveAtMs: number | null = null;
  #advancing: Promise<boolean> | undefined;

  constructor(options: SourceCursorOptions) {
    this.#options = options;
    this.#url = options.definition().url;
  }

  get url(): string {
    return this.#url;
  }
  get index(): number {
    return this.#index;
  }
  get generation(): number {
    return this.#generation;
  }
  get attempts(): number {
    return this.#attempts;
  }
  get lastMoveAtMs(): number | null {
    return this.#lastMoveAtMs;
  }

  /** Other sources that can be tried in one round. */
  get alternates(): number {
    const { failoverUrls, failoverResolverUrl } = this.#options.definition();
    return failoverResolverUrl === null ? failoverUrls.length : RESOLVER_ROUND;
  }

  /** Back to the primary: the stream was posted anew and nobody watches. */
  reset(): void {
    this.#url = this.#options.definition().url;
    this.#index = -1;
    this.#generation += 1;
  }

  /**
   * Moves on to the next source, once for all who ask while it is under way.
   * @param error - What the source in use did; absent when an app asked for the move.
   * @returns false when there is no other source.
   */
  advance(reason: string, error: AppError | undefined): Promise<boolean> {
    this.#advancing ??= this.#advance(reason, error).finally(() => {
      this.#advancing = undefined;
    });
    return this.#advancing;
  }

  async #advance(reason: string, error: AppError | undefined): Promise<boolean> {
    const { failoverResolverUrl } = this.#options.definition();
    if (failoverResolverUrl === null) return this.#advanceInRing(reason);
    const next = await this.#askResolver(failoverResolverUrl, reason, error);
    if (next === undefined) return false;
    this.#moveTo(next, this.#index + 1, reason);
    return true;
  }

  #advanceInRing(reason: string): boolean {
    const { url, failoverUrls } = this.#options.definition();
    if (failoverUrls.length === 0) return false;
    const next = this.#index + 1 >= failoverUrls.length ? -1 : this.#index + 1;
    this.#moveTo(failoverUrls[next] ?? url, next, reason);
    return true;
  }

  async #askResolver(
    resolverUrl: string,
    reason: string,
    error: AppError | undefined,
  ): Promise<string | undefined> {
    const next = await this.#options.resolver.next(
      resolverUrl,
      {
        currentUrl: this.#url,
        metadata: this.#options.definition().metadata,
        // The app counts the primary as 0 and the n-th backup as n (m3u-editor contract 3.2).
        currentFailoverIndex: this.#index + 1,
        statusCode: error === undefined ? null : statusOf(error),
        reason,
      },
      new AbortController().signal,
    );
    if (next === undefined || isSourceUrl(next)) return next;
    throw new UpstreamError('ALL_SOURCES_FAILED', {
      message: 'The failover resolver answered with something that is not an http or https URL.',
    });
  }

  #moveTo(url: string, index: number, reason: string): void {
    const oldUrl = this.#url;
    this.#url = url;
    this.#index = index;
    this.#generation += 1;
    this.#attempts += 1;
    this.#lastMoveAtMs = this.#options.clock.nowMs();
    this.#options.moved({ oldUrl, newUrl: url, index, attempt: this.#attempts, reason });
  }
}
