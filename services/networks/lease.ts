import type { Network } from './network.ts';

/** A worker that has not renewed its lease for so long is gone. */
export const LEASE_MS = 5_000;
export const RENEW_MS = 1_000;

/** Undefined when another worker has the network, or nobody is to run it. */
export function taken(current: Network | undefined, nowMs: number): Network | undefined {
  if (current === undefined || (current.lease?.untilMs ?? 0) > nowMs) return undefined;
  if (current.order === 'stop' && current.state !== 'stopping') return undefined;
  if (current.state === 'failed' || current.state === 'stopped') return undefined;
  const epoch = current.epoch + 1;
  return { ...current, epoch, lease: { epoch, untilMs: nowMs + LEASE_MS } };
}

/** It should be run, and nobody does. */
export const isOrphan = (network: Network, nowMs: number): boolean =>
  taken(network, nowMs) !== undefined;

export type Held = {
  readonly epoch: number;
  readonly turn: number;
};

type BeatOf = Held & {
  /** Where the turn's segments are; numbers hold for one folder. */
  readonly folder: string;
  readonly beat: Beat;
};

/** What a worker tells while it runs a network. */
export type Beat = {
  readonly pid?: number | null;
  readonly lastNumber?: number | null;
  readonly playedMs?: number;
  readonly bytesWritten?: number;
};

/**
 * The network with what its worker tells, and the lease renewed. An app may have started another
 * programme meanwhile: then only what holds for both is taken over.
 * @returns undefined when the lease is lost.
 */
export function beaten(
  current: Network | undefined,
  { epoch, turn, folder, beat }: BeatOf,
  nowMs: number,
): Network | undefined {
  if (current?.lease?.epoch !== epoch) return undefined;
  const { lastNumber = current.lastNumber, bytesWritten = current.bytesWritten, ...own } = beat;
  const isOwnTurn = current.turn === turn;
  return {
    ...current,
    ...(isOwnTurn && current.order === 'run' ? own : {}),
    ...(isOwnTurn || goesOn(current, folder) ? { lastNumber, bytesWritten } : {}),
    lease: { epoch, untilMs: nowMs + LEASE_MS },
  };
}

const goesOn = (current: Network, folder: string): boolean =>
  current.folder === folder && current.numbering.manner !== 'fresh';

/** The worker lets go: others may take the network up where it is. */
export function released(current: Network | undefined, epoch: number): Network | undefined {
  if (current?.lease?.epoch !== epoch) return undefined;
  return { ...current, lease: null, pid: null };
}
