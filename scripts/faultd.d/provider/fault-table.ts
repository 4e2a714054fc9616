import type { Disturbance } from './disturbance.ts';
import type { Fault } from './faults.ts';

/** Where a request goes: its address, and the key of the route that serves it. */
export type Place = { readonly path: string; readonly key: string | undefined };

type Given = { readonly fault: Fault; readonly sinceMs: number };
type Lasting = { readonly pattern: string; readonly disturbance: Disturbance };

/**
 * What goes wrong, where. A pattern is an address, a folder that ends in
 * `/`, or a beginning and `*`. One fault meets a request, that of the closest pattern; disturbances add up.
 */
export class FaultTable {
  readonly #faults = new Map<string, Given>();
  readonly #lasting = new Set<Lasting>();

  set(pattern: string, fault: Fault): void {
    this.#faults.set(pattern, { fault, sinceMs: performance.now() });
  }

  clear(pattern: string): void {
    this.#faults.delete(pattern);
  }

  find(place: Place): Given | undefined {
    const [closest] = [...this.#faults.keys()]
      .filter((pattern) => covers(pattern, place))
      .toSorted((a, b) => b.length - a.length);
    return this.#faults.get(closest ?? '');
  }

  /** The returned function takes it away again, once. */
  disturb(pattern: string, disturbance: Disturbance): () => void {
    const lasting = { pattern, disturbance };
    this.#lasting.add(lasting);
    return () => this.#lasting.delete(lasting);
  }

  /** Oldest first. */
  disturbancesOf(place: Place): readonly Disturbance[] {
    return [...this.#lasting]
      .filter(({ pattern }) => covers(pattern, place))
      .map(({ disturbance }) => disturbance);
  }
}

/** True when what is set for `pattern` is meant for this place. */
export function covers(pattern: string, { path, key }: Place): boolean {
  if (pattern.endsWith('*')) return path.startsWith(pattern.slice(0, -1));
  return pattern === path || pattern === key || isBelow(pattern, path);
}

const isBelow = (folder: string, path: string): boolean =>
  folder.endsWith('/') && path.startsWith(folder);
