import type { AppError } from '#kernel/app-error';
import type { StreamId } from '#kernel/ids';

/** Why a connection is wanted beside the one in use. */
export type SparePurpose = 'standby' | 'return';

export type SpareRequest = {
  readonly streamId: StreamId;
  readonly url: string;
  readonly purpose: SparePurpose;
};

/** One connection that may be held beside the one in use. */
export interface SparePermit {
  /** It was answered. A provider that counts too many connections breaks another one off now. */
  answered(): void;
  /** Whether this failure is the account's limit that speaks: the source is not to blame then. */
  isRefusal(error: AppError): boolean;
  /** It is closed, or has become the one in use in place of the other. Idempotent. */
  release(): void;
}

/** A connection that viewers are served from. */
export interface UsedConnection {
  /** It failed. @returns whether that was the price of a spare connection: none is opened again. */
  broke(error: AppError): boolean;
  /** It is closed. Idempotent. */
  end(): void;
}

/**
 * Says whether a source may be connected to beside the one in use, by what was learned of accounts
 * that bear less than nobody has said. What has been said is kept by `ConnectionAllowance`.
 */
export interface SparePermits {
  /** Answers at once; `undefined` means: not now. The asker comes again a second later at most. */
  acquire(request: SpareRequest): SparePermit | undefined;
  /** A connection to this URL serves viewers from now on. */
  use(url: string): UsedConnection;
}

/** Nobody counts: every spare connection is allowed. */
export const anySpare: SparePermits = {
  acquire: () => ({ answered: () => {}, isRefusal: () => false, release: () => {} }),
  use: () => ({ broke: () => false, end: () => {} }),
};
