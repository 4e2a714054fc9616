import type { Disturbance } from '../provider/disturbance.ts';
import type { Cut, Fault } from '../provider/faults.ts';

/** What a fault does to the provider. */
export type Action =
  /** Meets the requests that come while it lasts. */
  | { readonly kind: 'request'; readonly fault: Fault }
  /** Breaks what is being sent, and while it lasts whatever comes. */
  | { readonly kind: 'cut'; readonly how: Exclude<Cut, 'stall'> }
  /** Spoils the bytes of responses, old and new, while it lasts. */
  | { readonly kind: 'disturb'; readonly disturbance: Exclude<Disturbance, { kind: 'card' }> }
  /** Another clip of the scenario in the stream's place, while it lasts. */
  | { readonly kind: 'card'; readonly clip: string }
  /** No connection is accepted, and those there are get reset. */
  | { readonly kind: 'refuse' };

/** A fault with its place and its length. */
export type Order = {
  /** The fault in words, as in the scenario. */
  readonly words: string;
  readonly action: Action;
  /** An address, a route that ends in `/`, or a beginning and `*`. */
  readonly path: string;
  /** For good when absent; a cut without it happens once. */
  readonly forMs: number | undefined;
};

/** An order of the timeline. */
export type Step = Order & { readonly atMs: number };
