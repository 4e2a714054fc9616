import type { ConnectionUse } from './connection-use.ts';
import type { Headers } from './source-headers.ts';

/** A connection that is to be opened: its headers know the limit that it counts against. */
export type ConnectionRequest = {
  readonly headers: Headers;
  readonly use: ConnectionUse;
  /** How long it may wait for a place, in milliseconds; as its use has it, when absent. */
  readonly patienceMs?: number | undefined;
};

/** One connection that may be open at a provider. */
export interface ConnectionPermit {
  /** Aborts when the place is another process's now: the connection must be closed at once. */
  readonly lost: AbortSignal;
  /** The connection is closed. Idempotent. */
  release(): void;
}

export interface SparePlace extends ConnectionPermit {
  /**
   * Aborts when a viewer needs the place: the connection must be given up at once, unless a viewer
   * waits for what it brings. Never, once it is kept.
   */
  readonly revoked: AbortSignal;
  /** It serves viewers from now on: nobody takes it any more. */
  keep(): void;
}

/**
 * How many connections may be open to each account of a provider at once, whoever opens them. One
 * ledger for all: live, files, playlists and their segments, standbys, networks.
 */
export interface ConnectionAllowance {
  /**
   * A place for a viewer's connection; takes it from a spare one if need be. What is brief waits
   * for as long as other brief ones are in the way, half a minute at most. All else waits for as
   * long as it takes to close a connection that is being left.
   * @throws UpstreamError `PROVIDER_AT_CAPACITY`; the signal's reason.
   */
  demand(request: ConnectionRequest, signal: AbortSignal): Promise<ConnectionPermit>;
  /** A place that nobody else wants; `undefined` means: not now. Never rejects. */
  ahead(request: ConnectionRequest): Promise<SparePlace | undefined>;
  /**
   * Whether this process knows of a free place; answers at once.
   * @param instead - Of a connection that would be closed first: its place is as good.
   */
  hasRoom(headers: Headers, instead?: Headers): boolean;
  /**
   * Calls when a viewer waits for a place at the account of these headers: who holds one that is of
   * no use at the moment gives it up. @returns how to stop listening.
   */
  onWanted(headers: Headers, listener: () => void): () => void;
}

const never = new AbortController().signal;
const permit: SparePlace = { lost: never, revoked: never, release: () => {}, keep: () => {} };
const granted = Promise.resolve(permit);

/** Nobody counts: every connection is allowed. */
export const anyConnection: ConnectionAllowance = {
  demand: () => granted,
  ahead: () => granted,
  hasRoom: () => true,
  onWanted: () => () => {},
};
