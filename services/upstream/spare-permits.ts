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
  /** It is closed, or has become the one in use in place of the other. Idempotent. */
  release(): void;
}

/**
 * Says whether a source may be connected to beside the one in use. Such a connection counts at the
 * provider like any other: whoever keeps its limits answers here.
 */
export interface SparePermits {
  /** Answers at once; `undefined` means: not now. The asker comes again a second later at most. */
  acquire(request: SpareRequest): SparePermit | undefined;
}

/** Nobody counts: every spare connection is allowed. */
export const anySpare: SparePermits = { acquire: () => ({ release: () => {} }) };
