import type { ConnectionUse } from './connection-use.ts';
import type { ProviderLimit } from './source-headers.ts';

/** One slot of a provider account, held for one connection. */
export interface SlotLease {
  /** Aborts when the slot is this process's no longer: the connection must be closed at once. */
  readonly lost: AbortSignal;
  /** Aborts when somebody waits in another process. */
  readonly wanted: AbortSignal;
  /** It is held for this from now on. */
  keep(use: ConnectionUse): void;
  /** The connection is closed. Idempotent, never throws. */
  release(): void;
}

export type SlotAsk = {
  readonly limit: ProviderLimit;
  readonly use: ConnectionUse;
  /** Nothing brief is in the way any more: a turn may be hours away. May be called again. */
  readonly blocked?: (() => void) | undefined;
};

/** Who holds a slot, as any process may know. */
export type SlotHolder = {
  /** Names the process. */
  readonly node: string;
  readonly use: ConnectionUse;
  readonly streamId: string;
  readonly sinceMs: number;
};

/** Slots of provider accounts, shared by all processes of an installation. */
export interface SlotLeases {
  /**
   * Waits until one is free and it is this asker's turn, in the order of the first asking. While
   * the store is away a slot is given at once: then each process keeps the limit by itself.
   * @throws the signal's reason.
   */
  take(ask: SlotAsk, signal: AbortSignal): Promise<SlotLease>;
  /** One that nobody waits for, or nothing. Never rejects. */
  takeSpare(ask: SlotAsk): Promise<SlotLease | undefined>;
  /** Calls when somebody waits in another process for an account that this one has slots of. */
  onWanted(listener: (account: string) => void): void;
  /** Who holds slots of an account; undefined while the store is away. Never rejects. */
  holders(limit: ProviderLimit): Promise<readonly SlotHolder[] | undefined>;
}

const never = new AbortController().signal;
const lease: SlotLease = { lost: never, wanted: never, keep: () => {}, release: () => {} };

/** This process is the only one. */
export const ownSlots: SlotLeases = {
  take: async () => lease,
  takeSpare: async () => lease,
  onWanted: () => {},
  holders: async () => undefined,
};
