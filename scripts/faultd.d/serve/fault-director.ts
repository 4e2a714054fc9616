import type { FakeProvider } from '../fake-provider.ts';
import type { LoopedTs } from '../looped-ts.ts';
import type { Disturbance } from '../provider/disturbance.ts';
import { type Fault, resetAfter, truncateAfter, eofAfter } from '../provider/faults.ts';
import type { Action, Order } from '../scenario/action.ts';

const AT_ONCE = { reset: resetAfter(0), truncate: truncateAfter(0), eof: eofAfter(0) };

/** A fault that lasts. */
export type Lasting = {
  readonly order: Order;
  readonly sinceMs: number;
  readonly endsMs: number | undefined;
};

type Active = Lasting & {
  /** What it sets for requests; the youngest of an address counts. */
  readonly fault: Fault | undefined;
  readonly undo: () => void;
  readonly timer: NodeJS.Timeout | undefined;
};

/** Puts faults on a provider and takes them off again when their time is over. */
export class FaultDirector {
  readonly #provider: FakeProvider;
  readonly #clips: ReadonlyMap<string, LoopedTs>;
  readonly #active = new Set<Active>();

  constructor(provider: FakeProvider, clips: ReadonlyMap<string, LoopedTs>) {
    this.#provider = provider;
    this.#clips = clips;
  }

  /** Oldest first. */
  get lasting(): readonly Lasting[] {
    return [...this.#active];
  }

  /** @throws Error when it names a clip that the scenario has not. */
  apply(order: Order): void {
    const { action, path, forMs } = order;
    if (action.kind === 'cut') this.#provider.cut(path, action.how);
    if (action.kind === 'cut' && forMs === undefined) return;
    const fault = requestFault(action);
    const undo = this.#begin(order);
    const timer = forMs === undefined ? undefined : setTimeout(() => this.#end(active), forMs);
    const sinceMs = performance.now();
    const endsMs = forMs === undefined ? undefined : sinceMs + forMs;
    const active: Active = { order, fault, undo, timer, sinceMs, endsMs };
    this.#active.add(active);
    if (fault) this.#provider.setFault(path, fault);
  }

  /** Ends all faults, or those of one address as it was given; returns how many. */
  clear(path?: string): number {
    const meant = [...this.#active].filter(
      ({ order }) => path === undefined || order.path === path,
    );
    for (const active of meant) this.#end(active);
    return meant.length;
  }

  #begin({ action, path }: Order): () => void {
    const disturbance = this.#disturbanceOf(action);
    if (disturbance) return this.#provider.disturb(path, disturbance);
    if (action.kind !== 'refuse') return () => {};
    void this.#provider.down();
    return () => void this.#provider.up();
  }

  #disturbanceOf(action: Action): Disturbance | undefined {
    if (action.kind === 'disturb') return action.disturbance;
    if (action.kind !== 'card') return undefined;
    const source = this.#clips.get(action.clip);
    if (!source) throw new Error(`There is no clip ${action.clip}.`);
    return { kind: 'card', source };
  }

  #end(active: Active): void {
    clearTimeout(active.timer);
    this.#active.delete(active);
    active.undo();
    if (!active.fault) return;
    const { path } = active.order;
    const left = [...this.#active].findLast(({ order, fault }) => fault && order.path === path);
    if (left?.fault) this.#provider.setFault(path, left.fault);
    else this.#provider.clearFault(path);
  }
}

function requestFault(action: Action): Fault | undefined {
  if (action.kind === 'request') return action.fault;
  return action.kind === 'cut' ? AT_ONCE[action.how] : undefined;
}
