import type { SlotHolder } from './slot-leases.ts';

/** What holds the places of one account, over all processes. */
export type AccountUse = {
  readonly maxOpen: number;
  /** Oldest first. Of this process alone where others could not be asked. */
  readonly holders: readonly SlotHolder[];
  /** In this process. */
  readonly waiting: number;
};
