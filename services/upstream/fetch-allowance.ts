/** One request that may be open at a provider. */
export interface FetchPermit {
  /** The request is over and its connection idle or closed. Idempotent. */
  release(): void;
}

export interface AheadPermit extends FetchPermit {
  /** Aborts when a viewer needs the place: the request must be given up at once. */
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
   * @throws the signal's reason.
   */
  demand(url: string, signal: AbortSignal): Promise<FetchPermit>;
  /** A place that nobody else wants, at once; `undefined` means: not now. */
  ahead(url: string): AheadPermit | undefined;
}

const never = new AbortController().signal;
const permit: AheadPermit = { revoked: never, release: () => {} };
const granted = Promise.resolve(permit);

/** Nobody counts: every request is allowed. */
export const anyFetch: FetchAllowance = { demand: () => granted, ahead: () => permit };
