import { ShortLoop } from '../short-loop.ts';
import type { LoopedTs } from '../looped-ts.ts';
import type { Disturbance } from './disturbance.ts';
import { Mangler, type Tracks } from './mangle.ts';
import { noPackets } from './no-packets.ts';
import type { LiveRoute } from './routes.ts';

/** Where packets come from; `LoopedTs` says what each member means. */
export type PacketSource = Pick<LoopedTs, 'positionAt' | 'startBefore' | 'read'> & {
  readonly tracks: Tracks;
};

/** What one viewer of a live route gets next, with all that is wrong with it. */
export class Playout {
  readonly #route: LiveRoute;
  readonly #startedAtMs: number;
  readonly #mangler = new Mangler();
  #source: PacketSource;
  #instead: Disturbance | undefined;
  #position: number;

  /** Begins at the last keyframe before now. */
  constructor(route: LiveRoute, startedAtMs: number) {
    this.#route = route;
    this.#startedAtMs = startedAtMs;
    this.#source = route.source;
    this.#position = this.#startNow();
  }

  /** The packets that are due, at most so many; `isLate` when more of them are. */
  take(disturbances: readonly Disturbance[], mostPackets: number) {
    this.#change(disturbances);
    const count = Math.max(0, Math.min(this.#due() - this.#position, mostPackets));
    const packets = this.#source.read(this.#position, count);
    this.#position += count;
    const bytes = this.#mangler.mangle(packets, disturbances, this.#source.tracks);
    const instead = disturbances.findLast(({ kind }) => kind === 'no-packets');
    const sent = instead?.kind === 'no-packets' ? noPackets(instead.what, bytes.length) : bytes;
    return { bytes: sent, isLate: count === mostPackets };
  }

  /** A clip that comes or goes begins with a keyframe of its own. */
  #change(disturbances: readonly Disturbance[]): void {
    const instead = disturbances.findLast(({ kind }) => kind === 'card' || kind === 'loop');
    if (instead === this.#instead) return;
    this.#instead = instead;
    this.#source = this.#sourceOf(instead);
    this.#position = this.#startNow();
  }

  #sourceOf(instead: Disturbance | undefined): PacketSource {
    if (instead?.kind === 'card') return instead.source;
    if (instead?.kind !== 'loop') return this.#route.source;
    return new ShortLoop(this.#route.source, { endsAt: this.#position, ms: instead.ms });
  }

  #startNow(): number {
    const isPaced = Number.isFinite(this.#route.speed);
    return isPaced ? this.#source.startBefore(this.#due()) : 0;
  }

  #due(): number {
    const { speed } = this.#route;
    if (!Number.isFinite(speed)) return Infinity;
    return this.#source.positionAt((performance.now() - this.#startedAtMs) * speed);
  }
}
