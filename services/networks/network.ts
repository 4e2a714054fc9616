import type { NetworkId } from './ids.ts';
import type { Programme } from './programme.ts';

/**
 * - `starting`: asked for, and nothing of it has come yet.
 * - `stopped`: by an app, or because the programme has ended.
 */
export type NetworkState = 'starting' | 'running' | 'stopping' | 'stopped' | 'failed';

/** The right of one worker to run a network, and to write in its folder. */
export type Lease = {
  /** Grows with each; who holds an older one has lost it. */
  readonly epoch: number;
  readonly untilMs: number;
};

/** What a receiver is told; `data` as it goes out. */
export type Callback = {
  readonly id: string;
  readonly networkId: NetworkId;
  readonly url: string;
  /** The start that it belongs to: when an app has acted since, nobody wants it any more. */
  readonly orderNumber: number;
  readonly event: 'programme_ended' | 'broadcast_failed';
  readonly atMs: number;
  readonly isDvr: boolean;
  /** Of a recording. */
  readonly folder: string | null;
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
};

/** One network as it is kept: what was ordered, and what is. Times are of the store's clock. */
export type Network = {
  readonly v: 1;
  readonly id: NetworkId;
  readonly order: 'run' | 'stop';
  /** Grows with each start and stop of an app. */
  readonly orderNumber: number;
  /** Grows with each programme, also one that follows by itself. */
  readonly turn: number;
  readonly state: NetworkState;
  readonly programme: Programme;
  readonly next: Programme | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly isDvr: boolean;
  /** Where its segments are: an absolute path. */
  readonly folder: string;
  readonly numbering: Numbering;
  /** Of the last segment that was listed, ever; `null` when there was none. */
  readonly lastNumber: number | null;
  readonly startedAtMs: number;
  /** Media of the programme that has been listed. */
  readonly playedMs: number;
  /** Listed, of all programmes since the last start from nothing. */
  readonly bytesWritten: number;
  /** Of FFmpeg, on the machine of its worker. */
  readonly pid: number | null;
  readonly error: string | null;
  /** When starts failed lately, the oldest first. */
  readonly failedAtMs: readonly number[];
  readonly epoch: number;
  readonly lease: Lease | null;
  /** Told and not yet handed to the queue. */
  readonly callbacks: readonly Callback[];
  /** To be told as soon as it is known how the programme that follows has begun. */
  readonly owed: Callback | null;
};

/** How the segments of a programme are to be numbered. */
export type Numbering = {
  readonly asked: number;
  /**
   * - `fresh`: what lies in the folder goes.
   * - `asked`: as asked, where that is possible.
   * - `onward`: behind what is there, marked as a discontinuity.
   */
  readonly manner: 'fresh' | 'asked' | 'onward';
};

export const isOnAir = ({ order, state }: Network): boolean =>
  order === 'run' && (state === 'starting' || state === 'running');

/** What players are at: the last segment, or the one that comes first. */
export const currentNumber = ({ lastNumber, numbering }: Network): number =>
  lastNumber ?? numbering.asked;

/** The next programme begins with the number behind this one. */
export const finalNumber = ({ lastNumber, numbering }: Network): number =>
  lastNumber ?? Math.max(0, numbering.asked - 1);
