import { type Route, routeKey } from './egress-route.ts';
import type { Target } from './raw/request-head.ts';
import type { Wire, WireListener } from './wire.ts';

/** Servers close idle connections after 5 to 75 seconds; a live list is asked for sooner. */
const IDLE_MS = 15_000;
const MAX_PER_ORIGIN = 4;
const MAX_IDLE = 64;

/** Where a connection leads, and by which way: one of another way is none of these. */
type Place = { readonly target: Target; readonly route: Route };

type Idle = { readonly wire: Wire; readonly timer: NodeJS.Timeout };

/**
 * Connections whose last answer has been read to its end, by origin. Each was judged when it was
 * opened, and leads nowhere else since. `close` ends them all.
 */
export class WirePool {
  readonly #byOrigin = new Map<string, Idle[]>();
  #count = 0;
  #isClosed = false;

  get idleCount(): number {
    return this.#count;
  }

  /** The connection that was used last, if there is one; it is the taker's from now on. */
  take(place: Place): Wire | undefined {
    const origin = originOf(place);
    const idle = this.#byOrigin.get(origin)?.at(-1);
    if (!idle) return undefined;
    this.#forget(origin, idle);
    return idle.wire;
  }

  /** Takes a connection over; closes it at once where there are enough. */
  give(place: Place, wire: Wire): void {
    const origin = originOf(place);
    const idles = this.#byOrigin.get(origin) ?? [];
    if (this.#isClosed || idles.length >= MAX_PER_ORIGIN || this.#count >= MAX_IDLE) {
      return wire.close();
    }
    const end = (): void => {
      this.#forget(origin, idle);
      wire.close();
    };
    const idle: Idle = { wire, timer: setTimeout(end, IDLE_MS).unref() };
    idles.push(idle);
    this.#byOrigin.set(origin, idles);
    this.#count += 1;
    wire.listenFor(endsOnAnything(end));
    // What it lent for the last answer is free again.
    wire.resume();
  }

  close(): void {
    this.#isClosed = true;
    const all = [...this.#byOrigin].flatMap(([origin, idles]) =>
      idles.map((idle) => ({ origin, idle })),
    );
    for (const { origin, idle } of all) {
      this.#forget(origin, idle);
      idle.wire.close();
    }
  }

  #forget(origin: string, idle: Idle): void {
    clearTimeout(idle.timer);
    const idles = this.#byOrigin.get(origin);
    const at = idles?.indexOf(idle) ?? -1;
    if (!idles || at === -1) return;
    idles.splice(at, 1);
    this.#count -= 1;
    if (idles.length === 0) this.#byOrigin.delete(origin);
  }
}

/** A server that speaks before it is asked has lost count of its answers. */
const endsOnAnything = (end: () => void): WireListener => ({
  ready: () => {},
  bytes: () => {
    end();
    return false;
  },
  ended: end,
  failed: end,
});

const originOf = ({ target: { isSecure, host, port }, route }: Place): string =>
  `${isSecure ? 'https' : 'http'} ${host} ${port} ${routeKey(route)}`;
