import { isOnAir } from './network.ts';
import type { Network, Numbering } from './network.ts';
import type { NetworkId } from './ids.ts';
import type { Programme } from './programme.ts';

/** What an app asks for with a start. */
export type StartRequest = {
  readonly id: NetworkId;
  readonly programme: Programme;
  readonly next: Programme | null;
  readonly metadata: Network['metadata'];
  readonly firstNumber: number;
  readonly addsDiscontinuity: boolean;
  readonly isDvr: boolean;
  readonly folder: string;
};

/** A network as it is after an app has started it, anew or in the middle of another programme. */
export function startedBy(
  request: StartRequest,
  current: Network | undefined,
  nowMs: number,
): Network {
  const { id, programme, next, metadata, isDvr, folder } = request;
  const numbering = numberingOf(request, current);
  const before = current ?? NOTHING;
  const goesOn = numbering.manner !== 'fresh' && before.folder === folder;
  return {
    v: 1,
    id,
    order: 'run',
    orderNumber: before.orderNumber + 1,
    turn: before.turn + 1,
    state: 'starting',
    programme,
    next,
    metadata,
    isDvr,
    folder,
    numbering,
    lastNumber: goesOn ? before.lastNumber : null,
    startedAtMs: nowMs,
    playedMs: 0,
    bytesWritten: goesOn ? before.bytesWritten : 0,
    pid: null,
    error: null,
    failedAtMs: before.failedAtMs,
    epoch: before.epoch,
    lease: before.lease,
    callbacks: [],
    owed: null,
  };
}

/** What stands for a network before its first start. */
const NOTHING = {
  orderNumber: 0,
  turn: 0,
  folder: '',
  lastNumber: null,
  bytesWritten: 0,
  failedAtMs: [],
  epoch: 0,
  lease: null,
} as const;

function numberingOf(
  { firstNumber, addsDiscontinuity, isDvr }: StartRequest,
  current: Network | undefined,
): Numbering {
  if (isDvr || (current !== undefined && isOnAir(current))) {
    return { asked: firstNumber, manner: 'onward' };
  }
  if (firstNumber > 0) return { asked: firstNumber, manner: 'asked' };
  return { asked: 0, manner: addsDiscontinuity ? 'onward' : 'fresh' };
}

/** A network as it is after an app has stopped it; its worker has still to let go of it. */
export function stoppedBy(current: Network): Network {
  const isIdle = current.lease === null;
  return {
    ...current,
    order: 'stop',
    orderNumber: current.orderNumber + 1,
    state: isIdle ? 'stopped' : 'stopping',
    next: null,
    pid: isIdle ? null : current.pid,
    callbacks: [],
    owed: null,
  };
}
