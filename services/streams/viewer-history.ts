import type { Session } from '#sessions';
import type { ViewerPasts } from './ports.ts';

/** Keeps what viewers were served over the death of the process that served them. */
export class ViewerHistory {
  readonly #pasts: ViewerPasts | undefined;
  /** What was last written down of each session. */
  readonly #saved = new WeakMap<Session, number>();

  constructor(pasts: ViewerPasts | undefined) {
    this.#pasts = pasts;
  }

  /** A session has begun, and its record is on its way: it may go on where another was broken off. */
  async joined(session: Session): Promise<void> {
    const past = await this.#pasts?.take(session.id);
    if (past) session.continues(past);
  }

  /** Writes down what has changed. */
  save(sessions: readonly Session[]): void {
    const changed = sessions.filter((each) => this.#saved.get(each) !== each.bytesServed);
    for (const session of changed) this.#saved.set(session, session.bytesServed);
    this.#pasts?.save(changed.map(countOf));
  }
}

const countOf = ({ id: sessionId, bytesServed, segmentsServed }: Session) => ({
  sessionId,
  bytesServed,
  segmentsServed,
});
