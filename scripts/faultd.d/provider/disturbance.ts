import type { LoopedTs, Track } from '../looped-ts.ts';

/** What is wrong with the bytes of responses under way, for as long as it lasts; as data. */
export type Disturbance =
  /** Nothing more comes; what was held back comes at once when it is over. */
  | { readonly kind: 'stall' }
  /** No more than so much; a live stream falls behind its own clock. */
  | { readonly kind: 'rate'; readonly bytesPerSecond: number }
  /** The last picture groups, so long, again and again, with the times they had. */
  | { readonly kind: 'loop'; readonly ms: number }
  /** Another clip in the stream's place, with a timeline of its own. */
  | { readonly kind: 'card'; readonly source: LoopedTs }
  /** The program clock reference stands still while bytes flow. */
  | { readonly kind: 'still-clock' }
  /** A share of all packets is missing, 0 to 1: continuity errors. */
  | { readonly kind: 'lose-packets'; readonly share: number }
  /** A share of all packets has the transport error indicator, 0 to 1. */
  | { readonly kind: 'damage'; readonly share: number }
  /** The packets of a track are missing, its entry in the program map is not. */
  | { readonly kind: 'lose-track'; readonly track: Track }
  /** Sound and picture say that they are encrypted. */
  | { readonly kind: 'scramble' }
  /** In the place of packets come as many bytes that are none. */
  | { readonly kind: 'no-packets'; readonly what: 'page' | 'noise' };
