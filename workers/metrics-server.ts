import { once } from 'node:events';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from '#kernel/node-http';
import { secretCheck } from '#kernel/secret-check';

/** What a scraper gets. */
export interface Exposition {
  readonly contentType: string;
  text(): Promise<string>;
}

export type MetricsServerOptions = {
  readonly host: string;
  readonly port: number;
  /** `undefined` lets everybody in. */
  readonly apiToken: string | undefined;
  readonly metrics: Exposition;
};

/** A scraper's request is short; who is slower holds a connection for nothing. */
const REQUEST_DEADLINE_MS = 5_000;

/** `GET /metrics` of a process that serves nothing else. */
export class MetricsServer {
  readonly #server: Server;
  #closing: Promise<void> | undefined;

  /** @throws the system's error when the address cannot be had. */
  static async open({ host, port, ...options }: MetricsServerOptions): Promise<MetricsServer> {
    const server = createServer({ requestTimeout: REQUEST_DEADLINE_MS }, answerer(options));
    server.listen({ host, port });
    await once(server, 'listening');
    return new MetricsServer(server);
  }

  private constructor(server: Server) {
    this.#server = server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts what is under way. Idempotent. */
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

type Answerer = Pick<MetricsServerOptions, 'apiToken' | 'metrics'>;

function answerer({ apiToken, metrics }: Answerer): RequestListener {
  const isToken = apiToken === undefined ? () => true : secretCheck(apiToken);
  return (req, res) => {
    const refuse = (status: number, headers: Record<string, string> = {}): void => {
      res.writeHead(status, headers).end();
    };
    if (req.url?.split('?', 1)[0] !== '/metrics') return refuse(404);
    if (req.method !== 'GET') return refuse(405, { Allow: 'GET' });
    if (!isToken(tokenOf(req))) return refuse(401, { 'WWW-Authenticate': 'Bearer' });
    metrics.text().then(
      (text) => res.writeHead(200, { 'Content-Type': metrics.contentType }).end(text),
      () => refuse(500),
    );
  };
}

function tokenOf({ headers }: IncomingMessage): string {
  const own = headers['x-api-token'];
  const bearer = /^bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1];
  return (typeof own === 'string' ? own : bearer) ?? '';
}
