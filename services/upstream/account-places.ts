import { UpstreamError } from '#kernel/app-error';
import { isBrief } from './connection-use.ts';
import type { ConnectionUse } from './connection-use.ts';

/** Who asks for a place. */
export type PlaceWish = {
  readonly maxOpen: number;
  readonly use: ConnectionUse;
  readonly streamId?: string | undefined;
};

export type WaitingWish = PlaceWish & {
  /** Nothing brief is in the way any more: a turn may be hours away. May be called again. */
  readonly blocked?: (() => void) | undefined;
};

/** A place of one account in this process. */
export type Place = {
  /** Aborts when a viewer needs it. Never, for a viewer's own. */
  readonly wanted: AbortSignal;
  /** Nobody takes it from now on. */
  keep(use: ConnectionUse): void;
  /** Idempotent. */
  free(): void;
};

/** A connection, as one who asks why a place is taken is told of it. */
export type HeldPlace = {
  readonly use: ConnectionUse;
  readonly streamId: string;
  readonly sinceMs: number;
};

type Held = { -readonly [Key in keyof HeldPlace]: HeldPlace[Key] };
type Waiter = WaitingWish & { readonly grant: () => void };

/** Longer queues are no use to whoever stands at their end. */
const MAX_WAITING = 1_000;

/** Who has a connection open at one account, and who waits, in this process: first come, first served. */
export class AccountPlaces {
  readonly #held = new Set<Held>();
  readonly #ahead = new Map<Held, AbortController>();
  readonly #waiting: Waiter[] = [];
  readonly #listeners = new Set<() => void>();

  /** Nobody has a place, waits for one, or listens. */
  get isIdle(): boolean {
    return this.#held.size === 0 && this.#waiting.length === 0 && this.#listeners.size === 0;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  get held(): readonly HeldPlace[] {
    return [...this.#held];
  }

  hasRoom(maxOpen: number): boolean {
    return this.#waiting.length === 0 && this.#held.size < maxOpen;
  }

  /**
   * @throws UpstreamError `PROVIDER_AT_CAPACITY` when too many wait already; the signal's reason.
   */
  async demand(wish: WaitingWish, signal: AbortSignal): Promise<Place> {
    signal.throwIfAborted();
    if (this.hasRoom(wish.maxOpen)) return this.#place(this.#take(wish));
    return this.#place(await this.#turn(wish, signal));
  }

  /** A place that nobody waits for. */
  spare(wish: PlaceWish): Place | undefined {
    if (!this.hasRoom(wish.maxOpen)) return undefined;
    const held = this.#take(wish);
    const wanted = new AbortController();
    this.#ahead.set(held, wanted);
    return this.#place(held, wanted.signal);
  }

  /** Somebody waits, here or in another process: what is spare is given up. */
  want(): void {
    for (const wanted of this.#ahead.values()) wanted.abort();
    for (const listener of this.#listeners) listener();
  }

  /** In no process is anything brief in the way: whoever waits here has no turn soon. */
  blocked(): void {
    for (const { blocked } of this.#waiting) blocked?.();
  }

  /** Called soon, too, where somebody waits already. */
  onWanted(listener: () => void): () => void {
    this.#listeners.add(listener);
    const tell = (): void => {
      if (this.#waiting.length > 0 && this.#listeners.has(listener)) listener();
    };
    queueMicrotask(tell);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves with a place taken. */
  #turn(wish: WaitingWish, signal: AbortSignal): Promise<Held> {
    if (this.#waiting.length >= MAX_WAITING) return Promise.reject(atCapacity());
    const turn = new Promise<Held>((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason);
      };
      const grant = (): void => {
        signal.removeEventListener('abort', leave);
        resolve(this.#take(wish));
      };
      const waiter: Waiter = { ...wish, grant };
      this.#waiting.push(waiter);
      signal.addEventListener('abort', leave, { once: true });
    });
    this.want();
    this.#tellBlocked();
    return turn;
  }

  #take({ use, streamId = '' }: PlaceWish): Held {
    const held = { use, streamId, sinceMs: Date.now() };
    this.#held.add(held);
    return held;
  }

  #place(held: Held, wanted: AbortSignal = never): Place {
    const free = (): void => {
      if (!this.#held.delete(held)) return;
      this.#ahead.delete(held);
      this.#serve();
    };
    const keep = (use: ConnectionUse): void => {
      held.use = use;
      this.#ahead.delete(held);
      this.#tellBlocked();
    };
    return { wanted, keep, free };
  }

  #serve(): void {
    for (;;) {
      const [next] = this.#waiting;
      if (!next || this.#held.size >= next.maxOpen) break;
      this.#waiting.shift();
      next.grant();
    }
    this.#tellBlocked();
  }

  #tellBlocked(): void {
    if (this.#waiting.length === 0) return;
    const lasting = [...this.#held].filter(({ use }) => !isBrief(use)).length;
    for (const { maxOpen, blocked } of this.#waiting) if (lasting >= maxOpen) blocked?.();
  }
}

const never = new AbortController().signal;

export const atCapacity = (): UpstreamError =>
  new UpstreamError('PROVIDER_AT_CAPACITY', {
    message: 'All connections that the provider allows are in use.',
  });
