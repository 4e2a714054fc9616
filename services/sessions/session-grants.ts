import type { Grant } from '#access';
import type { Clock, Timer, Timers } from '#kernel/clock';
import type { Session } from './session.ts';

/** Timers take no more than 24 days. */
const MAX_DELAY_MS = 24 * 3_600_000;

export type SessionGrantsOptions = {
  readonly clock: Clock;
  readonly timers: Timers;
  /** This session's time is over. */
  readonly over: (session: Session) => void;
};

type Held = { readonly grant: Grant; stop?: Timer };

/** What each session was let in with; calls when the time of one is over. */
export class SessionGrants {
  readonly #options: SessionGrantsOptions;
  readonly #held = new Map<Session, Held>();

  constructor(options: SessionGrantsOptions) {
    this.#options = options;
  }

  /** The viewer has asked with this grant; it holds from now on. */
  hold(session: Session, grant: Grant | undefined): void {
    const before = this.#held.get(session)?.grant;
    if (before?.keyId === grant?.keyId && before?.stopAtMs === grant?.stopAtMs) return;
    this.release(session);
    if (grant === undefined) return;
    const held = { grant };
    this.#held.set(session, held);
    this.#arm(session, held);
  }

  /** Idempotent. */
  release(session: Session): void {
    this.#held.get(session)?.stop?.cancel();
    this.#held.delete(session);
  }

  /** Who watches with this stream key. */
  withKey(keyId: string): readonly Session[] {
    return [...this.#held].flatMap(([session, { grant }]) =>
      grant.keyId === keyId ? [session] : [],
    );
  }

  #arm(session: Session, held: Held): void {
    const { stopAtMs } = held.grant;
    if (stopAtMs === undefined) return;
    const { clock, timers, over } = this.#options;
    const leftMs = stopAtMs - clock.nowMs();
    const look = (): void => {
      if (clock.nowMs() >= stopAtMs) over(session);
      else this.#arm(session, held);
    };
    const delayMs = Math.max(0, Math.min(leftMs, MAX_DELAY_MS));
    held.stop = timers.after(delayMs, look, { background: true });
  }
}
