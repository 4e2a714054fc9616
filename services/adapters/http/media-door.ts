import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from '#kernel/node-http';

/** Answers requests for one resource. */
export type Serve = (request: IncomingMessage, response: ServerResponse) => void;

const SECRET_BYTES = 24;

/**
 * A door on the loopback address where FFmpeg fetches the media that this process gets for it, under
 * names that cannot be guessed. FFmpeg is told them through a pipe.
 */
export class MediaDoor {
  readonly #server: Server;
  readonly #served: Map<string, Serve>;
  #closing: Promise<void> | undefined;

  static async open(): Promise<MediaDoor> {
    const served = new Map<string, Serve>();
    const server = createServer({ requestTimeout: 0 }, (request, response) => {
      const serve = served.get(request.url ?? '');
      if (serve === undefined) response.writeHead(404).end();
      else serve(request, response);
    });
    server.listen({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    return new MediaDoor(server, served);
  }

  private constructor(server: Server, served: Map<string, Serve>) {
    this.#server = server;
    this.#served = served;
  }

  /** @returns the address, and how to take it away. */
  serve(serve: Serve): { readonly url: string; readonly close: () => void } {
    const path = `/${randomBytes(SECRET_BYTES).toString('base64url')}`;
    this.#served.set(path, serve);
    const { port } = this.#server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}${path}`, close: () => this.#served.delete(path) };
  }

  /** Cuts every connection. Idempotent. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
