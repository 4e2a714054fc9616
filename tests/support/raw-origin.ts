import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Certificate } from '../../scripts/faultd.d/certificate.ts';

/** One connection of the origin, once its request has come. */
export type RawExchange = {
  readonly socket: Socket;
  /** The request as it was on the wire, blank line included. */
  readonly request: string;
};

/** Answers with bytes that no HTTP library would send. */
export type RawAnswer = (exchange: RawExchange) => void;

export type RawOriginOptions = {
  readonly certificate?: Certificate;
  readonly host?: string;
};

/** An origin that writes its answers by hand, on a free port. */
export class RawOrigin implements AsyncDisposable {
  readonly requests: string[] = [];
  readonly sockets = new Set<Socket>();
  readonly #server: Server;
  readonly #scheme: string;

  private constructor(answer: RawAnswer, { certificate }: RawOriginOptions) {
    const serve = (socket: Socket): void => this.#serve(socket, answer);
    this.#scheme = certificate ? 'https' : 'http';
    this.#server = certificate ? createTlsServer(certificate, serve) : createServer(serve);
    this.#server.on('tlsClientError', () => {});
  }

  static async start(answer: RawAnswer, options: RawOriginOptions = {}): Promise<RawOrigin> {
    const origin = new RawOrigin(answer, options);
    origin.#server.listen(0, options.host ?? '127.0.0.1');
    await once(origin.#server, 'listening');
    return origin;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path = '/', host = '127.0.0.1'): string {
    return `${this.#scheme}://${host}:${this.port}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket, answer: RawAnswer): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => {}); // Clients that leave are what these tests are about.
    let request = '';
    socket.on('data', (bytes) => {
      if (request.includes('\r\n\r\n')) return;
      request += bytes.toString('latin1');
      if (!request.includes('\r\n\r\n')) return;
      this.requests.push(request);
      answer({ socket, request });
    });
  }
}

/** Writes this and closes the connection cleanly. */
export const say =
  (text: string): RawAnswer =>
  ({ socket }) =>
    socket.end(Buffer.from(text, 'latin1'));

/** Writes this and leaves the connection open. */
export const sayAndWait =
  (text: string): RawAnswer =>
  ({ socket }) =>
    void socket.write(Buffer.from(text, 'latin1'));

/** Writes this in pieces of `size` bytes, each in a packet of its own, then closes. */
export const sayInPieces =
  (text: string, size: number): RawAnswer =>
  ({ socket }) => {
    socket.setNoDelay(true);
    const bytes = Buffer.from(text, 'latin1');
    const next = (at: number): void => {
      if (at >= bytes.length) return void socket.end();
      socket.write(bytes.subarray(at, at + size), () => setImmediate(next, at + size));
    };
    next(0);
  };
