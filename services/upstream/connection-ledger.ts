import type { Timers } from '#kernel/clock';
import type { AccountUse } from './account-use.ts';
import { AccountPlaces, atCapacity } from './account-places.ts';
import type { HeldPlace, Place } from './account-places.ts';
import { anyConnection } from './connection-allowance.ts';
import type {
  ConnectionAllowance,
  ConnectionPermit,
  ConnectionRequest,
  SparePlace,
} from './connection-allowance.ts';
import { isBrief } from './connection-use.ts';
import type { ConnectionUse } from './connection-use.ts';
import { Patience } from './patience.ts';
import { ownSlots } from './slot-leases.ts';
import type { SlotHolder, SlotLease, SlotLeases } from './slot-leases.ts';
import { limitOf } from './source-headers.ts';
import type { Headers, ProviderLimit } from './source-headers.ts';

export type ConnectionLedgerOptions = {
  readonly timers: Timers;
  /** Where other processes use the same accounts; absent: there are none. */
  readonly leases?: SlotLeases | undefined;
};

/** A player has given up by then. */
const BRIEF_MS = 30_000;
/** Who changes channels is heard of from its new connection up to so long before the old one ends. */
const ZAP_MS = 800;

/**
 * Keeps the limits of provider accounts: each connection has a place of this process and a slot
 * that all processes share, for exactly as long as it is open.
 */
export class ConnectionLedger implements ConnectionAllowance {
  readonly #timers: Timers;
  readonly #leases: SlotLeases;
  readonly #accounts = new Map<string, AccountPlaces>();

  constructor({ timers, leases = ownSlots }: ConnectionLedgerOptions) {
    this.#timers = timers;
    this.#leases = leases;
    leases.onWanted((account) => this.#accounts.get(account)?.want());
  }

  demand(request: ConnectionRequest, signal: AbortSignal): Promise<ConnectionPermit> {
    const limit = limitOf(request.headers);
    return limit ? this.#demand(limit, request, signal) : anyConnection.demand(request, signal);
  }

  async ahead(request: ConnectionRequest): Promise<SparePlace | undefined> {
    const limit = limitOf(request.headers);
    if (!limit) return anyConnection.ahead(request);
    const { use } = request;
    const place = this.#placesOf(limit).spare({ ...limit, use });
    if (!place) return undefined;
    const lease = await this.#leases.takeSpare({ limit, use });
    if (lease && !place.wanted.aborted) return this.#permit(limit, place, lease);
    lease?.release();
    this.#free(limit, place);
    return undefined;
  }

  hasRoom(headers: Headers, instead: Headers = {}): boolean {
    const limit = limitOf(headers);
    if (!limit || limit.account === limitOf(instead)?.account) return true;
    return this.#accounts.get(limit.account)?.hasRoom(limit.maxOpen) ?? true;
  }

  /** The places that this process has, by account. */
  held(): readonly (HeldPlace & { readonly account: string })[] {
    return [...this.#accounts].flatMap(([account, places]) =>
      places.held.map((held) => ({ ...held, account })),
    );
  }

  /** Why there is no place at the account of these headers; undefined where there is no limit. */
  async useOf(headers: Headers): Promise<AccountUse | undefined> {
    const limit = limitOf(headers);
    if (!limit) return undefined;
    const { maxOpen, account } = limit;
    const places = this.#accounts.get(account);
    const own = places?.held.map((held) => ({ ...held, node: '' })) ?? [];
    const holders = (await this.#leases.holders(limit)) ?? own;
    return {
      maxOpen,
      holders: holders.toSorted(byAge),
      waiting: places?.waitingCount ?? 0,
    };
  }

  onWanted(headers: Headers, listener: () => void): () => void {
    const limit = limitOf(headers);
    if (!limit) return () => {};
    const places = this.#placesOf(limit);
    const stop = places.onWanted(listener);
    return () => {
      stop();
      this.#forget(limit);
    };
  }

  async #demand(
    limit: ProviderLimit,
    { use, patienceMs }: ConnectionRequest,
    given: AbortSignal,
  ): Promise<ConnectionPermit> {
    const patience = new Patience(this.#timers, patienceMs ?? patienceOf(use), atCapacity);
    const signal = AbortSignal.any([given, patience.signal]);
    const blocked = patienceMs === undefined ? () => patience.shorten(ZAP_MS) : undefined;
    const places = this.#placesOf(limit);
    const allBlocked = (): void => {
      blocked?.();
      places.blocked();
    };
    let place: Place | undefined;
    try {
      place = await places.demand({ ...limit, use, blocked }, signal);
      const lease = await this.#leases.take({ limit, use, blocked: allBlocked }, signal);
      return this.#permit(limit, place, lease);
    } catch (error) {
      if (place) this.#free(limit, place);
      else this.#forget(limit);
      throw error;
    } finally {
      patience.end();
    }
  }

  #permit(limit: ProviderLimit, place: Place, lease: SlotLease): SparePlace {
    const release = (): void => {
      lease.release();
      this.#free(limit, place);
    };
    const keep = (): void => {
      place.keep('live');
      lease.keep('live');
    };
    const { lost, wanted } = lease;
    return { lost, revoked: AbortSignal.any([place.wanted, wanted, lost]), release, keep };
  }

  #placesOf({ account }: ProviderLimit): AccountPlaces {
    const known = this.#accounts.get(account) ?? new AccountPlaces();
    this.#accounts.set(account, known);
    return known;
  }

  #free(limit: ProviderLimit, place: Place): void {
    place.free();
    this.#forget(limit);
  }

  #forget({ account }: ProviderLimit): void {
    if (this.#accounts.get(account)?.isIdle) this.#accounts.delete(account);
  }
}

const byAge = (a: SlotHolder, b: SlotHolder): number => a.sinceMs - b.sinceMs;

const patienceOf = (use: ConnectionUse): number => (isBrief(use) ? BRIEF_MS : ZAP_MS);
