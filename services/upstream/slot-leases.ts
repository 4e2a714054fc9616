import type { ProviderLimit } from './source-headers.ts';

/** One slot of a provider account, held for one request. */
export interface SlotLease {
  /** Aborts when the slot is this process's no longer: the connection must be closed at once. */
  readonly lost: AbortSignal;
  /** For a spare one: aborts when somebody waits in another process. */
  readonly wanted: AbortSignal;
  /** The request is over. Idempotent, never throws. */
  release(): void;
}

/** Slots of provider accounts, shared by all processes of an installation. */
export interface SlotLeases {
  /**
   * Waits until one is free and it is this asker's turn, in the order of the first asking. While
   * the store is away a slot is given at once: then each process keeps the limit by itself.
   * @throws the signal's reason.
   */
  take(limit: ProviderLimit, signal: AbortSignal): Promise<SlotLease>;
  /** One that nobody waits for, or nothing. Never rejects. */
  takeSpare(limit: ProviderLimit): Promise<SlotLease | undefined>;
}

const never = new AbortController().signal;
const lease: SlotLease = { lost: never, wanted: never, release: () => {} };

/** This process is the only one. */
export const ownSlots: SlotLeases = { take: async () => lease, takeSpare: async () => lease };
