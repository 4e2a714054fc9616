import type { Timers } from '#kernel/clock';
import { AccountPlaces, atCapacity } from './account-places.ts';
import type { Place } from './account-places.ts';
import { anyFetch } from './fetch-allowance.ts';
import type { AheadPermit, FetchAllowance, FetchPermit, FetchRequest } from './fetch-allowance.ts';
import { ownSlots } from './slot-leases.ts';
import type { SlotLease, SlotLeases } from './slot-leases.ts';
import { limitOf } from './source-headers.ts';
import type { ProviderLimit } from './source-headers.ts';

export type FetchLedgerOptions = {
  readonly timers: Timers;
  /** Where other processes use the same accounts; absent: there are none. */
  readonly leases?: SlotLeases | undefined;
};

/** A player has given up by then. */
const DEADLINE_MS = 30_000;

/**
 * Keeps the limits of provider accounts: each request has a place of this process and a slot that
 * all processes share, for exactly as long as it is open.
 */
export class FetchLedger implements FetchAllowance {
  readonly #timers: Timers;
  readonly #leases: SlotLeases;
  readonly #accounts = new Map<string, AccountPlaces>();

  constructor({ timers, leases = ownSlots }: FetchLedgerOptions) {
    this.#timers = timers;
    this.#leases = leases;
  }

  demand(request: FetchRequest, signal: AbortSignal): Promise<FetchPermit> {
    const limit = limitOf(request.headers);
    return limit ? this.#demand(limit, signal) : anyFetch.demand(request, signal);
  }

  async ahead(request: FetchRequest): Promise<AheadPermit | undefined> {
    const limit = limitOf(request.headers);
    if (!limit) return anyFetch.ahead(request);
    const place = this.#placesOf(limit).spare(limit.maxOpen);
    if (!place) return undefined;
    const lease = await this.#leases.takeSpare(limit);
    if (lease && !place.wanted.aborted) return this.#permit(limit, place, lease);
    lease?.release();
    this.#free(limit, place);
    return undefined;
  }

  async #demand(limit: ProviderLimit, given: AbortSignal): Promise<FetchPermit> {
    const late = new AbortController();
    const deadline = this.#timers.after(DEADLINE_MS, () => late.abort(atCapacity()), {
      background: true,
    });
    const signal = AbortSignal.any([given, late.signal]);
    let place: Place | undefined;
    try {
      place = await this.#placesOf(limit).demand(limit.maxOpen, signal);
      return this.#permit(limit, place, await this.#leases.take(limit, signal));
    } catch (error) {
      if (place) this.#free(limit, place);
      throw error;
    } finally {
      deadline.cancel();
    }
  }

  #permit(limit: ProviderLimit, place: Place, lease: SlotLease): AheadPermit {
    const release = (): void => {
      lease.release();
      this.#free(limit, place);
    };
    const { lost, wanted } = lease;
    return { lost, revoked: AbortSignal.any([place.wanted, wanted, lost]), release };
  }

  #placesOf({ account }: ProviderLimit): AccountPlaces {
    const known = this.#accounts.get(account) ?? new AccountPlaces();
    this.#accounts.set(account, known);
    return known;
  }

  #free({ account }: ProviderLimit, place: Place): void {
    place.free();
    if (this.#accounts.get(account)?.isIdle) this.#accounts.delete(account);
  }
}
