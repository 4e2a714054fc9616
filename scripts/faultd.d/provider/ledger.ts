import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';

/** One request as the provider saw it; the last four change while it is served. */
export type Recorded = {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** As in the request line. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly atMs: number;
  /** Requests on one connection have the same. */
  readonly socketId: number;
  status: number;
  sentBytes: number;
  open: boolean;
  /** Who ended the response; `undefined` while it is open. */
  endedBy: 'provider' | 'client' | undefined;
};

/** All requests, and who waits for something to show in them. */
export class Ledger {
  readonly requests: Recorded[] = [];
  readonly #changes = new EventEmitter().setMaxListeners(0);
  readonly #peaks = new Map<string, number>();
  sockets = 0;
  maxSockets = 0;

  add(request: Recorded): void {
    this.requests.push(request);
    for (const key of ['*', request.path]) {
      this.#peaks.set(key, Math.max(this.#peaks.get(key) ?? 0, this.open(key)));
    }
    this.changed();
  }

  of(path: string): readonly Recorded[] {
    return this.requests.filter((request) => matches(request, path));
  }

  /** Responses that are being sent now; of one address, below one folder, or `*` of all. */
  open(path = '*'): number {
    return this.of(path).filter((request) => request.open).length;
  }

  maxOpen(path = '*'): number {
    return this.#peaks.get(path) ?? 0;
  }

  socketOpened(): number {
    this.sockets += 1;
    this.maxSockets = Math.max(this.maxSockets, this.sockets);
    this.changed();
    return this.sockets;
  }

  socketClosed(): void {
    this.sockets -= 1;
    this.changed();
  }

  changed(): void {
    this.#changes.emit('change');
  }

  /** Waits for a condition to become true, looking again at every change. */
  async until(condition: () => boolean, deadlineMs: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      if (condition()) resolve();
    };
    const deadline = setTimeout(() => reject(this.#tooLate(condition, deadlineMs)), deadlineMs);
    this.#changes.on('change', look);
    look();
    try {
      await promise;
    } finally {
      clearTimeout(deadline);
      this.#changes.off('change', look);
    }
  }

  #tooLate(condition: () => boolean, deadlineMs: number): Error {
    const lines = this.requests.map(
      ({ method, url, status, sentBytes, open, endedBy }) =>
        `${method} ${url} → ${status}, ${sentBytes} bytes, ${open ? 'open' : `ended by ${endedBy}`}`,
    );
    const seen = lines.length === 0 ? 'no request' : lines.slice(-20).join('\n');
    return new Error(`Not within ${deadlineMs} ms: ${String(condition)}\nSeen:\n${seen}`);
  }
}

const matches = ({ path }: Recorded, wanted: string): boolean =>
  wanted === '*' || path === wanted || (wanted.endsWith('/') && path.startsWith(wanted));
