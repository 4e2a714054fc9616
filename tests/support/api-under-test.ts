import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApp } from '#api/app';
import type { AppDeps, ApiSettings, ConnectionProbe, Metrics, ProbeResult } from '#api/deps';
import { systemClock } from '#kernel/clock';
import { silentLogger } from '#kernel/logger';
import type { UserProfile } from '#transcode';
import { answerFaults, apiDocument, operationFor, problemFaults } from './api-contract.ts';
import { openAccess } from './fake-access.ts';
import { noNetworks } from './fake-networks.ts';
import { FakeStreams } from './fake-streams.ts';
import { FakeWebhooks } from './fake-webhooks.ts';

export const SETTINGS: ApiSettings = {
  rootPath: '/m3u-proxy',
  apiToken: undefined,
  trustedProxies: ['loopback'],
  defaultUserAgent: 'penstock-test',
  viewerIdleSeconds: 10,
  streamTtlSeconds: 86_400,
  maxRetries: 3,
  sharing: 'per-client',
};

export class FakeProbe implements ConnectionProbe {
  result: ProbeResult = { success: true, message: 'It answered.', statusCode: 200 };
  readonly tested: string[] = [];

  async test(url: string): Promise<ProbeResult> {
    this.tested.push(url);
    return this.result;
  }
}

export class FakeMetrics implements Metrics {
  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8';
  readonly requests: string[] = [];

  text(): Promise<string> {
    return Promise.resolve('# HELP a_total A.\n# TYPE a_total counter\na_total 1\n');
  }

  answered(route: string, status: number | undefined): void {
    this.requests.push(`${route} ${status}`);
  }
}

type Overrides = Partial<Omit<AppDeps, 'settings'>> & { readonly settings?: Partial<ApiSettings> };

export type Reply = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body, for JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- Tests say what they expect.
  readonly body: any;
};

export type Call = {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly raw?: string;
};

/** Profiles in memory, and no worker. */
export function noTranscoding(): AppDeps['transcoding'] {
  const profiles = new Map<string, UserProfile>();
  return {
    profiles: {
      list: async () => [...profiles.values()],
      find: async (name) => profiles.get(name),
      save: async (profile) => void profiles.set(profile.name, profile),
      remove: async (name) => profiles.delete(name),
    },
    board: { list: async () => [] },
    trustsTemplates: false,
    servesHls: true,
    runsOf: () => [],
  };
}

/** What the app needs, as fakes. */
export function appDeps(overrides: Overrides = {}): AppDeps {
  return {
    streams: new FakeStreams(),
    webhooks: new FakeWebhooks(),
    access: openAccess(),
    probe: new FakeProbe(),
    about: {
      version: '0.1.0',
      ffmpegVersion: null,
      streamlinkVersion: null,
      ytdlpVersion: null,
      nodeId: 'node-1',
      redisMode: 'embedded',
    },
    resolvers: {
      isOn: { streamlink: true, ytdlp: true },
      cookies: { stateOf: async () => 'not-configured' },
      metadata: { read: async () => ({}) },
    },
    readiness: () => ({ redis: 'ok' }),
    apiDocument: { text: async () => JSON.stringify(apiDocument) },
    hls: { statsOf: () => undefined },
    places: { ofStream: async () => undefined, held: () => [] },
    delivery: [],
    transcoding: noTranscoding(),
    networks: noNetworks(),
    metrics: new FakeMetrics(),
    clock: systemClock,
    logger: silentLogger,
    ...overrides,
    settings: { ...SETTINGS, ...overrides.settings },
  };
}

/** The app on a socket, over fakes. Every answer is held to `openapi.yaml` on the way. */
export async function startApi(overrides: Overrides = {}) {
  const streams = new FakeStreams();
  const webhooks = new FakeWebhooks();
  const probe = new FakeProbe();
  const deps = appDeps({ streams, webhooks, probe, ...overrides });
  const { settings } = deps;
  const server = createServer(createApp(deps)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;

  const call = async (method: string, path: string, options: Call = {}): Promise<Reply> => {
    const reply = await send(`${url}${path}`, method, options);
    holdToContract(method, { path, rootPath: settings.rootPath }, reply);
    return reply;
  };

  return {
    url,
    port,
    streams,
    webhooks,
    probe,
    call,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function send(url: string, method: string, { headers, json, raw }: Call): Promise<Reply> {
  const body = json === undefined ? raw : JSON.stringify(json);
  const isJson = json === undefined ? {} : { 'Content-Type': 'application/json' };
  const response = await fetch(url, {
    method,
    headers: { ...isJson, ...headers },
    redirect: 'manual',
    signal: AbortSignal.timeout(5_000),
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const isParsed = contentTypeOf(response.headers).endsWith('json') && text !== '';
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isParsed ? JSON.parse(text) : undefined,
  };
}

const contentTypeOf = (headers: Headers): string =>
  (headers.get('content-type') ?? '').split(';', 1)[0] ?? '';

type Target = { readonly path: string; readonly rootPath: string };

function holdToContract(method: string, { path, rootPath }: Target, reply: Reply): void {
  const { pathname } = new URL(path, 'http://localhost');
  const isPrefixed = rootPath !== '' && `${pathname}/`.startsWith(`${rootPath}/`);
  const operation = operationFor(
    method,
    (isPrefixed ? pathname.slice(rootPath.length) : pathname) || '/',
  );
  const faults =
    operation === undefined
      ? unknownFaults(method, reply)
      : answerFaults(operation, {
          status: reply.status,
          contentType: contentTypeOf(reply.headers),
          body: reply.body ?? reply.text,
        });
  if (faults.length > 0) {
    throw new Error(
      `${method} ${path} → ${reply.status} ${reply.text.slice(0, 500)}\n${faults.join('\n')}`,
    );
  }
}

/** What is no operation must be answered with a problem. */
const unknownFaults = (method: string, reply: Reply): readonly string[] =>
  method === 'HEAD' || method === 'OPTIONS' ? [] : problemFaults(reply.body);
