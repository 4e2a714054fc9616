import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Certificate } from '../certificate.ts';
import type { Ledger } from './ledger.ts';

export type ListenerOptions = {
  readonly certificate?: Certificate;
  readonly serve: RequestListener;
  /** 127.0.0.1 by default. */
  readonly address?: string;
  /** A free one by default. */
  readonly port?: number;
};

/** Below those that a system hands out: nobody is given the port of a server that is away. */
const OWN_PORTS = { from: 20_000, count: 12_000 };
const MOST_TRIES = 20;

const anyOwnPort = (): number => OWN_PORTS.from + Math.floor(Math.random() * OWN_PORTS.count);

const isTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';

/** A server on one port of one address that can go away and come back there. */
export class Listener {
  readonly #server: Server;
  readonly #sockets = new Map<Socket, number>();
  readonly #address: string;
  #nextSocketId = 1;
  port = 0;

  constructor(ledger: Ledger, options: ListenerOptions) {
    const { certificate, serve, address = '127.0.0.1', port = 0 } = options;
    this.#address = address;
    this.port = port;
    this.#server = certificate ? createTlsServer(certificate, serve) : createServer(serve);
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on(certificate ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.#sockets.set(socket, this.#nextSocketId++);
      ledger.socketOpened();
      socket.on('error', () => {
        // Resets are this server's daily bread, its own among them.
      });
      socket.on('close', () => {
        this.#sockets.delete(socket);
        ledger.socketClosed();
      });
    });
  }

  idOf(socket: Socket): number {
    return this.#sockets.get(socket) ?? 0;
  }

  async up(): Promise<void> {
    if (this.#server.listening) return;
    if (this.port !== 0) return this.#listen(this.port);
    for (let tries = MOST_TRIES; this.port === 0; tries -= 1) {
      const port = tries > 0 ? anyOwnPort() : 0;
      await this.#listen(port).catch((error: unknown) => {
        if (port === 0 || !isTaken(error)) throw error;
      });
    }
  }

  async #listen(port: number): Promise<void> {
    this.#server.listen(port, this.#address);
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
  }

  /** Resets every connection; from now on they are refused. Idempotent. */
  async down(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets.keys()) socket.resetAndDestroy();
    this.#server.closeAllConnections();
    await closed;
  }
}
