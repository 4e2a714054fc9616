import { randomUUID } from 'node:crypto';
import { finalNumber } from './network.ts';
import type { Callback, Network } from './network.ts';

type What = Pick<Callback, 'event' | 'data'> & { readonly nowMs: number };

/** `null` where the app has given no address. */
function callbackOf(network: Network, { event, data, nowMs }: What): Callback | null {
  const { id, orderNumber, isDvr, folder, programme } = network;
  if (programme.callbackUrl === null) return null;
  return {
    id: randomUUID(),
    networkId: id,
    url: programme.callbackUrl,
    orderNumber,
    event,
    atMs: nowMs,
    isDvr,
    folder: isDvr ? folder : null,
    data,
  };
}

const playedData = (network: Network, exitCode: number) => ({
  exit_code: exitCode,
  final_segment_number: finalNumber(network),
  duration_streamed: Math.round(network.playedMs) / 1000,
  ...recordingOf(network),
});

/** What apps find their recording by. */
function recordingOf({ metadata }: Network): Callback['data'] {
  const id = metadata?.['recording_db_id'];
  return typeof id === 'string' || typeof id === 'number' ? { recording_db_id: id } : {};
}

/** @param newPid - Of the programme that has followed by itself; absent when none has. */
export function programmeEnded(
  network: Network,
  { nowMs, newPid }: { readonly nowMs: number; readonly newPid?: number },
): Callback | null {
  const followed = newPid === undefined ? {} : { auto_transitioned: true, new_pid: newPid };
  const data = { ...playedData(network, 0), ...followed };
  return callbackOf(network, { event: 'programme_ended', data, nowMs });
}

export function broadcastFailed(
  network: Network,
  { nowMs, exitCode, error }: { nowMs: number; exitCode: number; error: string },
): Callback | null {
  const data = { ...playedData(network, exitCode), error };
  return callbackOf(network, { event: 'broadcast_failed', data, nowMs });
}

/** The body that a receiver gets. */
export const callbackBody = (callback: Callback) => ({
  network_id: callback.networkId,
  event: callback.event,
  timestamp: `${new Date(callback.atMs).toISOString().slice(0, -1)}000+00:00`,
  dvr_mode: callback.isDvr,
  hls_dir: callback.folder,
  data: callback.data,
});

export const CALLBACK_AGENT = 'M3U-Proxy-Broadcast/1.0';

/** How an attempt to tell a receiver went. */
export type CallbackOutcome =
  | { readonly kind: 'answered'; readonly status: number }
  /** No connection came about: it has certainly not been heard. */
  | { readonly kind: 'unreached' }
  /** It may have been heard: no answer in time, or the connection broke. */
  | { readonly kind: 'unknown' };

/** Somebody before the receiver says that it is not there. */
const NOT_THERE: ReadonlySet<number> = new Set([429, 502, 503]);

/**
 * Whether to tell it again. A repeated `programme_ended` would make its receiver skip a programme:
 * so only what has certainly not been heard is told again.
 */
export const isToBeRepeated = (outcome: CallbackOutcome): boolean =>
  outcome.kind === 'unreached' || (outcome.kind === 'answered' && NOT_THERE.has(outcome.status));
