import type { Held } from './lease.ts';
import { LEASE_MS } from './lease.ts';
import type { Callback, Network } from './network.ts';

/** Starts that failed longer ago than this do not count; a setting of the installation. */
export type StartLimits = {
  readonly mostFailures: number;
  readonly windowMs: number;
  readonly cooldownMs: number;
};

/** How long an app has to wait before it may start this network again; 0 when it may. */
export function startWaitMs(
  { failedAtMs }: Pick<Network, 'failedAtMs'>,
  { mostFailures, windowMs, cooldownMs }: StartLimits,
  nowMs: number,
): number {
  const recent = failedAtMs.filter((atMs) => nowMs - atMs < windowMs);
  if (recent.length < mostFailures) return 0;
  return Math.max(0, (recent.at(-1) ?? nowMs) + cooldownMs - nowMs);
}

type Turn = Held & { readonly nowMs: number };

/** Only the turn that has been played may be brought to an end. */
const isStill = (current: Network | undefined, { epoch, turn }: Held): current is Network =>
  current?.lease?.epoch === epoch && current.turn === turn && current.order === 'run';

/** The programme is over, and none follows. @returns undefined when an app has acted meanwhile. */
export function ended(
  current: Network | undefined,
  { callback, ...turn }: Turn & { readonly callback: Callback | null },
): Network | undefined {
  if (!isStill(current, turn)) return undefined;
  return { ...atRest(current, 'stopped'), ...owing(current, callback) };
}

type Failure = Turn & { readonly error: string; readonly callback: Callback | null };

/**
 * It cannot go on. A start that has failed is told to who started, by its answer; where a programme
 * was to follow by itself, the app hears that the one before has ended, and starts one.
 * @returns undefined when an app has acted meanwhile.
 */
export function failed(
  current: Network | undefined,
  { error, callback, ...turn }: Failure,
): Network | undefined {
  if (!isStill(current, turn)) return undefined;
  const rest = { ...atRest(current, 'failed'), error };
  if (current.owed !== null) return { ...rest, ...owing(current, null) };
  if (current.state !== 'starting') return { ...rest, ...owing(current, callback) };
  return { ...rest, failedAtMs: [...current.failedAtMs, turn.nowMs].slice(-KEPT_FAILURES) };
}

const KEPT_FAILURES = 10;

/**
 * The next programme follows by itself.
 * @param owed - What is to be told of the one before, when this one has begun.
 * @returns undefined when an app has acted meanwhile, or when none was queued.
 */
export function followed(
  current: Network | undefined,
  { owed, ...turn }: Turn & { readonly owed: Callback | null },
): Network | undefined {
  if (!isStill(current, turn) || current.next === null) return undefined;
  const { next: programme, programme: before } = current;
  return {
    ...current,
    turn: current.turn + 1,
    programme: { ...programme, callbackUrl: programme.callbackUrl ?? before.callbackUrl },
    next: null,
    state: 'starting',
    numbering: { asked: 0, manner: 'onward' },
    startedAtMs: turn.nowMs,
    playedMs: 0,
    pid: null,
    owed,
    lease: { epoch: turn.epoch, untilMs: turn.nowMs + LEASE_MS },
  };
}

/** The programme has begun: FFmpeg gives media. @returns undefined when an app has acted meanwhile. */
export function begun(
  current: Network | undefined,
  { pid, ...turn }: Turn & { readonly pid: number },
): Network | undefined {
  if (!isStill(current, turn)) return undefined;
  const added = { auto_transitioned: true, new_pid: pid };
  const owed = current.owed && { ...current.owed, data: { ...current.owed.data, ...added } };
  const lease = { epoch: turn.epoch, untilMs: turn.nowMs + LEASE_MS };
  return {
    ...current,
    ...owing({ ...current, owed }, null),
    state: 'running',
    pid,
    failedAtMs: [],
    lease,
  };
}

/** The worker has done as an app said. */
export function stopped(current: Network | undefined, epoch: number): Network | undefined {
  if (current?.lease?.epoch !== epoch || current.order !== 'stop') return undefined;
  return atRest(current, 'stopped');
}

const atRest = (current: Network, state: 'stopped' | 'failed'): Network => ({
  ...current,
  state,
  lease: null,
  pid: null,
});

/** What was owed is told first. */
const owing = (
  { callbacks, owed }: Pick<Network, 'callbacks' | 'owed'>,
  callback: Callback | null,
): Pick<Network, 'callbacks' | 'owed'> => ({
  owed: null,
  callbacks: [...callbacks, ...[owed, callback].filter((one) => one !== null)],
});

/** What has been handed to the queue is forgotten here. */
export function handedOn(current: Network | undefined, id: string): Network | undefined {
  if (current === undefined) return undefined;
  return { ...current, callbacks: current.callbacks.filter((callback) => callback.id !== id) };
}
