import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { AppError } from '#kernel/app-error';
import { KEEP_ALIVE_MS, localEnd } from './dial.ts';
import { DialledSocket } from './dialled-socket.ts';
import { failureVia, guardOf, type Route } from './egress-route.ts';
import { guardedLookup, judgeHost } from './guarded-lookup.ts';
import type { ReadBuffers } from './raw/read-buffers.ts';
import type { Target } from './raw/request-head.ts';
import { WireMemory } from './raw/wire-memory.ts';
import { toUpstreamFailure } from './upstream-failure.ts';

/** Who listens to a wire. `ended` or `failed` come last, once, and never after `close`. */
export interface WireListener {
  /** Connected; with https, handshake included. */
  ready(): void;
  /**
   * Bytes in lent memory: theirs after true is returned, ours again after false until `resume`.
   * @returns false to hear nothing more until `resume`.
   */
  bytes(bytes: Buffer): boolean;
  /** The other side will send no more. */
  ended(): void;
  failed(error: AppError): void;
}

export type WireOptions = {
  readonly target: Target;
  readonly route: Route;
  readonly buffers: ReadBuffers;
};

/**
 * One socket, read into one buffer that is used again and again: `onread` spares Node a fresh
 * 64 KiB per read, which is two thirds of what a byte costs.
 */
export class Wire {
  #listener: WireListener;
  readonly #socket: Socket | DialledSocket;
  readonly #memory: WireMemory;
  /** What TLS decrypted after we had said stop: at most what one read of the socket held. */
  readonly #backlog: Buffer[] = [];
  #ending: (() => void) | undefined;
  #isPaused = false;
  #isTelling = false;
  #isClosed = false;

  /** @throws InvalidInputError `UPSTREAM_TARGET_FORBIDDEN` for a literal address. */
  constructor({ target, route, buffers }: WireOptions, listener: WireListener) {
    const refusal = judgeHost(target.host, guardOf(route));
    if (refusal !== undefined) throw refusal;
    this.#listener = listener;
    // What comes through a proxy comes as TLS does: in memory of its own.
    const isOwnMemory = target.isSecure || 'url' in route.egress;
    this.#memory = new WireMemory(buffers, isOwnMemory);
    this.#socket = openSocket(target, route, {
      buffer: () => this.#memory.next(this.#isPaused),
      callback: (count) => this.#received(this.#memory.filled(count)),
      received: (bytes) => this.#received(bytes),
    });
    this.#socket.on(target.isSecure ? 'secureConnect' : 'connect', () => this.#listener.ready());
    this.#socket.on('end', () => this.#end(() => this.#listener.ended()));
    for (const event of ['error', 'close'] as const) {
      this.#socket.on(event, (why: unknown) =>
        this.#end(() => this.#listener.failed(failureVia(route, toUpstreamFailure(why)))),
      );
    }
  }

  /** From now on somebody else hears of it; between two answers only. */
  listenFor(listener: WireListener): void {
    this.#listener = listener;
  }

  /** It can take another request: nothing has ended it. */
  get isOpen(): boolean {
    return !this.#isClosed && this.#ending === undefined;
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Goes on after the listener said false. Harmless otherwise. */
  resume(): void {
    if (!this.#isPaused || this.#isClosed) return;
    this.#isPaused = false;
    this.#memory.returned();
    for (let next = this.#backlog.shift(); next !== undefined; next = this.#backlog.shift()) {
      if (!this.#tell(next)) return;
    }
    if (this.#ending === undefined) this.#socket.resume();
    else this.#ending();
  }

  /** Ends the connection at once. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.destroy();
    if (!this.#isTelling) this.#memory.release(this.#isPaused);
  }

  #received(bytes: Buffer): boolean {
    if (this.#isClosed) return false;
    if (!this.#isPaused) return this.#tell(bytes);
    this.#backlog.push(Buffer.from(bytes));
    return false;
  }

  #tell(bytes: Buffer): boolean {
    this.#isTelling = true;
    const goesOn = this.#listener.bytes(bytes);
    this.#isTelling = false;
    this.#isPaused = !goesOn;
    if (this.#isClosed) this.#memory.release(this.#isPaused);
    else if (goesOn) this.#memory.used(bytes.length);
    return goesOn && !this.#isClosed;
  }

  /** Told after all bytes: a listener that said stop hears of the end when it goes on. */
  #end(tell: () => void): void {
    if (this.#isClosed || this.#ending !== undefined) return;
    this.#ending = () => {
      this.close();
      tell();
    };
    if (!this.#isPaused) this.#ending();
  }
}

type OnRead = {
  readonly buffer: () => Buffer;
  readonly callback: (count: number) => boolean;
  /** Where bytes come in memory of their own. */
  readonly received: (bytes: Buffer) => boolean;
};

function openSocket(target: Target, route: Route, onread: OnRead): Socket | DialledSocket {
  const { egress } = route;
  if (egress.kind === 'direct' || egress.kind === 'template') {
    return openDirectly(target, route, onread);
  }
  return new DialledSocket({ ...route, target, egress }, onread.received);
}

function openDirectly(target: Target, route: Route, onread: OnRead): Socket {
  const { host, port } = target;
  const guard = guardOf(route);
  const options = {
    host,
    port,
    lookup: guardedLookup(guard),
    ...localEnd(route.egress.localAddress),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    onread,
  };
  const socket = target.isSecure
    ? connectTls({
        ...options,
        ...(isIP(host) === 0 ? { servername: host } : {}),
        rejectUnauthorized: guard.verifyTls,
        ALPNProtocols: ['http/1.1'],
      })
    : connectTcp(options);
  guard.meter?.opened(socket);
  return socket;
}
