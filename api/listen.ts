import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from '#kernel/node-http';

/** Longer than the usual keep-alive of proxies in front, so that it is never us who closes first. */
const KEEP_ALIVE_MS = 65_000;
/** A request head must be here by then; slower ones hold a connection for nothing. */
const HEAD_DEADLINE_MS = 15_000;
/** What is still being answered after this is cut. */
const LAST_ANSWERS_MS = 2_000;

export type Listening = {
  readonly host: string;
  readonly port: number;
  /** Accepts nothing new, lets answers under way end for a moment, then cuts them. */
  close(): Promise<void>;
};

/** Serves an app. @throws the system's error when the address cannot be had. */
export async function listen(
  app: RequestListener,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Listening> {
  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: HEAD_DEADLINE_MS },
    app,
  );
  server.listen({ host, port, backlog: 1024 });
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeIdleConnections();
    const cut = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_MS);
    await closed;
    clearTimeout(cut);
  };
  return { host, port: (server.address() as AddressInfo).port, close };
}
