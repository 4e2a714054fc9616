import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { codeOf } from '#kernel/app-error';
import { asStreamId } from '#kernel/ids';
import type { StreamId } from '#kernel/ids';
import { createServer } from '#kernel/node-http';
import { asRunId, isRunToken } from '#transcode';
import type { RunId } from '#transcode';
import type { PeerDoor } from './peer-door.ts';

/** One run, as far as its worker deals with it. */
export interface WorkedRun {
  serveInput(response: ServerResponse): Promise<boolean>;
  takeOutput(body: IncomingMessage): boolean;
  takeReport(report: unknown): void;
}

export type RunServerOptions = {
  /** Undefined when it is over. */
  readonly find: (id: RunId) => WorkedRun | undefined;
  /** Sends what a stream is made into to another api process. */
  readonly relay: (id: StreamId, response: ServerResponse) => Promise<void>;
  /** The one that all processes of this installation share. */
  readonly secret: Buffer;
  /** For what other api processes pass on. */
  readonly peers: PeerDoor;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
};

export type RunServer = {
  readonly port: number;
  /** Idempotent: cuts every connection. */
  close(): Promise<void>;
};

const PATH = /^\/runs\/([0-9a-f-]{36})\/(input|output|report)$/;
const STREAM_PATH = /^\/streams\/([0-9a-f]{32})\/output$/;
const MAX_REPORT_BYTES = 256 * 1024;

/**
 * The internal door: workers fetch a run's media here and push its output, and other api processes
 * pass on what players ask. It is a port of its own, so that nothing of it can be reached where
 * players and apps come in.
 */
export async function openRunServer(options: RunServerOptions): Promise<RunServer> {
  const server = createServer({ requestTimeout: 0 }, (request, response) => {
    void answer(options, request, response).catch(() => response.destroy());
  });
  server.listen({ host: options.host, port: options.port });
  await once(server, 'listening');
  let closing: Promise<void> | undefined;
  const { port } = server.address() as AddressInfo;
  return { port, close: () => (closing ??= close(server)) };
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

async function answer(
  { find, relay, secret, peers }: RunServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (peers.answer(secret, request, response)) return;
  const streamId = asStreamId(STREAM_PATH.exec(request.url ?? '')?.[1] ?? '');
  if (isRunToken(secret, streamId, tokenIn(request))) return serveRelay(relay, streamId, response);
  const asked = askedIn(request);
  if (asked === undefined) return refuse(response, 404);
  if (!isRunToken(secret, asked.id, tokenIn(request))) return refuse(response, 403);
  const run = find(asked.id);
  if (run === undefined) return refuse(response, 410);
  return ANSWERS[asked.what](run, request, response);
}

async function serveRelay(
  relay: RunServerOptions['relay'],
  id: StreamId,
  response: ServerResponse,
): Promise<void> {
  await relay(id, response).catch((error: unknown) => {
    if (!response.headersSent)
      refuse(response, codeOf(error) === 'WORKERS_AT_CAPACITY' ? 503 : 502);
  });
}

type What = 'input' | 'output' | 'report';

function askedIn({ url = '' }: IncomingMessage) {
  const [, id, what] = PATH.exec(url) ?? [];
  return id === undefined ? undefined : { id: asRunId(id), what: what as What };
}

const tokenIn = ({ headers }: IncomingMessage): string =>
  /^Bearer (\w+)$/.exec(headers.authorization ?? '')?.[1] ?? '';

const ANSWERS: Readonly<
  Record<
    What,
    (run: WorkedRun, request: IncomingMessage, response: ServerResponse) => Promise<void>
  >
> = {
  input: (run, _request, response) => serveInput(run, response),
  report: takeReport,
  output: async (run, request, response) => {
    if (!run.takeOutput(request)) refuse(response, 410);
  },
};

async function serveInput(run: WorkedRun, response: ServerResponse): Promise<void> {
  if (!(await run.serveInput(response))) refuse(response, 410);
}

async function takeReport(
  run: WorkedRun,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += (part as Buffer).length;
    if (bytes > MAX_REPORT_BYTES) return refuse(response, 413);
    parts.push(part as Buffer);
  }
  run.takeReport(JSON.parse(Buffer.concat(parts).toString('utf8')));
  response.writeHead(204).end();
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { Connection: 'close' }).end();
}
