import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { dial, type DialOptions } from './dial.ts';

/**
 * A socket through a proxy, from the moment that it is wanted: with the events of one that is
 * connected directly, and none after `destroy`.
 */
export class DialledSocket extends EventEmitter {
  readonly #closing = new AbortController();
  readonly #received: (bytes: Buffer) => boolean;
  #socket: Socket | undefined;

  /** @param received - Takes what comes; false to hear nothing more until `resume`. */
  constructor(options: DialOptions, received: (bytes: Buffer) => boolean) {
    super();
    this.#received = received;
    dial(options, this.#closing.signal).then(
      (socket) => this.#attach(socket, options),
      (error: unknown) => this.#tell('error', error),
    );
  }

  write(bytes: Buffer): void {
    this.#socket?.write(bytes);
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Idempotent. */
  destroy(): void {
    this.#closing.abort();
    this.#socket?.destroy();
  }

  #attach(socket: Socket, { guard, target }: DialOptions): void {
    this.#socket = socket;
    guard.meter?.opened(socket);
    if (this.#closing.signal.aborted) return void socket.destroy();
    socket.on('data', (bytes: Buffer) => {
      if (!this.#received(bytes)) socket.pause();
    });
    for (const event of ['end', 'error', 'close'] as const) {
      socket.on(event, (why: unknown) => this.#tell(event, why));
    }
    this.#tell(target.isSecure ? 'secureConnect' : 'connect');
  }

  #tell(event: string, why?: unknown): void {
    if (!this.#closing.signal.aborted) this.emit(event, why);
  }
}
