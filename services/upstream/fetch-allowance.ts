import type { UpstreamRequest } from './ports.ts';

/** A request that is to be sent: its headers know the limit that it counts against. */
export type FetchRequest = Pick<UpstreamRequest, 'headers'>;

/** One request that may be open at a provider. */
export interface FetchPermit {
  /** Aborts when the place is another process's now: the connection must be closed at once. */
  readonly lost: AbortSignal;
  /** The request is over and its connection idle or closed. Idempotent. */
  release(): void;
}

export interface AheadPermit extends FetchPermit {
  /**
   * Aborts when a viewer needs the place: the request must be given up at once, unless a viewer
   * waits for it too.
   */
  readonly revoked: AbortSignal;
}

/**
 * How many short requests (playlists, segments, keys) may be open at a provider at once. They count
 * there like any other connection: whoever keeps its limits answers here.
 */
export interface FetchAllowance {
  /**
   * A place for a request that a viewer waits for; takes it from one that is fetched ahead if need
   * be, and waits where all are in use for viewers.
   * @throws UpstreamError `PROVIDER_AT_CAPACITY` after half a minute; the signal's reason.
   */
  demand(request: FetchRequest, signal: AbortSignal): Promise<FetchPermit>;
  /** A place that nobody else wants; `undefined` means: not now. Never rejects. */
  ahead(request: FetchRequest): Promise<AheadPermit | undefined>;
}

const never = new AbortController().signal;
const permit: AheadPermit = { lost: never, revoked: never, release: () => {} };
const granted = Promise.resolve(permit);

/** Nobody counts: every request is allowed. */
export const anyFetch: FetchAllowance = { demand: () => granted, ahead: () => granted };
