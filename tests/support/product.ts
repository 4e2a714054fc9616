import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { ApiClient } from './api-client.ts';
import { eventually, type FoundProcess } from './processes.ts';
import { startSupervisor, type Supervisor } from './supervisor/start.ts';

const ENTRY = fileURLToPath(new URL('../../services/supervisor/main.ts', import.meta.url));
const START_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 12_000;
/** The shell beside Redis hears of its end a moment later. */
const AFTERMATH_MS = 1_000;

export type Role = 'supervisor' | 'api' | 'worker' | 'redis';

export type ProductOptions = {
  readonly env?: Readonly<Record<string, string>>;
  /** Which processes run; `all` brings an embedded Redis. */
  readonly roles?: 'all' | 'api' | 'worker';
  /** A folder of its own when absent. Give the folder of a stopped product to start it again. */
  readonly dataDir?: string;
};

/** The whole program as people run it: supervisor, api, worker, Redis. */
export type Product = AsyncDisposable & {
  /** `http://127.0.0.1:<port>`; the port outlives restarts of the api. */
  readonly url: string;
  readonly api: ApiClient;
  readonly dataDir: string;
  /** From the start of the supervisor to its line that all is ready. */
  readonly readyInMs: number;
  pid(role: Role): number;
  pids(): readonly number[];
  processes(): readonly FoundProcess[];
  /** Ends one process without warning, and waits until another has taken its place. */
  killAndAwaitReturn(role: Exclude<Role, 'supervisor'>): Promise<void>;
  /** Everything that any of its processes has written. */
  output(): string;
  /** Kills the supervisor, and waits until every other process has noticed and is gone. */
  crash(): Promise<void>;
  /** Drains it. @throws Error when it does not exit with 0, or leaves a process behind. */
  stop(): Promise<void>;
};

const COMMANDS: Readonly<Record<Role, RegExp>> = {
  supervisor: /supervisor\/main\.ts$/,
  api: /api\/main\.ts$/,
  worker: /workers\/main\.ts$/,
  // The server itself, not the shell that watches over it.
  redis: /^\S*(?:redis|valkey)-server /,
};

/** Starts Penstock on a free port of 127.0.0.1 and waits until it is ready. */
export async function startProduct(options: ProductOptions = {}): Promise<Product> {
  const port = await freePort();
  const startedAtMs = performance.now();
  const supervisor = startSupervisor({
    entry: ENTRY,
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
    env: {
      HOST: '127.0.0.1',
      PORT: String(port),
      ROLES: options.roles ?? 'all',
      SLATES: 'off', // Made at the first start in a folder: a second of work for every test.
      ...options.env,
    },
  });
  try {
    await untilReady(supervisor);
  } catch (error) {
    await supervisor[Symbol.asyncDispose]();
    throw error;
  }
  return new RunningProduct(supervisor, {
    url: `http://127.0.0.1:${port}`,
    token: options.env?.['API_TOKEN'],
    readyInMs: performance.now() - startedAtMs,
  });
}

type Facts = {
  readonly url: string;
  readonly token: string | undefined;
  readonly readyInMs: number;
};

class RunningProduct implements Product {
  readonly url: string;
  readonly api: ApiClient;
  readonly dataDir: string;
  readonly readyInMs: number;
  readonly #supervisor: Supervisor;
  #stopping: Promise<void> | undefined;

  constructor(supervisor: Supervisor, { url, token, readyInMs }: Facts) {
    this.#supervisor = supervisor;
    this.url = url;
    this.readyInMs = readyInMs;
    this.dataDir = supervisor.dataDir;
    this.api = new ApiClient(url, token);
  }

  pid(role: Role): number {
    const pid = role === 'supervisor' ? this.#supervisor.pid : this.#pidOf(role);
    if (pid === undefined) throw new Error(`No process ${role}.`);
    return pid;
  }

  pids(): readonly number[] {
    return this.#supervisor.processes().map(({ pid }) => pid);
  }

  processes(): readonly FoundProcess[] {
    return this.#supervisor.processes();
  }

  async killAndAwaitReturn(role: Exclude<Role, 'supervisor'>): Promise<void> {
    const killed = this.pid(role);
    process.kill(killed, 'SIGKILL');
    await eventually(`${role} is back`, () => {
      const pid = this.#pidOf(role);
      return pid !== undefined && pid !== killed;
    });
    if (role === 'api') await eventually('the api answers', () => this.api.isAlive());
  }

  output(): string {
    return [...this.#supervisor.out, ...this.#supervisor.err].join('\n');
  }

  crash(): Promise<void> {
    return (this.#stopping ??= this.#crash());
  }

  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (process.env['PENSTOCK_TEST_OUTPUT'] !== undefined) process.stderr.write(this.output());
    try {
      await this.stop();
    } finally {
      await this.#supervisor[Symbol.asyncDispose]();
    }
  }

  async #crash(): Promise<void> {
    process.kill(this.#supervisor.pid, 'SIGKILL');
    await this.#supervisor.ended;
    await this.#untilNothingIsLeft(STOP_DEADLINE_MS);
  }

  async #stop(): Promise<void> {
    process.kill(this.#supervisor.pid, 'SIGTERM');
    const late = AbortSignal.timeout(STOP_DEADLINE_MS);
    const code = await Promise.race([this.#supervisor.ended, once(late, 'abort')]);
    if (code !== 0) {
      const ending = late.aborted ? 'did not end' : `ended with ${String(code)}`;
      throw new Error(`Penstock ${ending}.\n${this.output()}`);
    }
    await this.#untilNothingIsLeft(AFTERMATH_MS);
  }

  async #untilNothingIsLeft(withinMs: number): Promise<void> {
    await eventually('no process is left', () => this.pids().length === 0, withinMs);
  }

  #pidOf(role: Role): number | undefined {
    return this.#supervisor.processes().find(({ command }) => COMMANDS[role].test(command))?.pid;
  }
}

async function untilReady(supervisor: Supervisor): Promise<void> {
  const ended = new AbortController();
  void supervisor.ended.then(() => ended.abort());
  await eventually(
    'Penstock is ready',
    () => {
      if (ended.signal.aborted) {
        throw new Error(
          `Penstock did not start:\n${[...supervisor.out, ...supervisor.err].join('\n')}`,
        );
      }
      return supervisor.out.some((line) => line.startsWith('Penstock is ready'));
    },
    START_DEADLINE_MS,
  );
}

/** Chosen beforehand, so that an api that is restarted comes back to the same address. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
