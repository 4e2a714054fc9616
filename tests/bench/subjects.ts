import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProduct, type Product } from '../support/product.ts';
import { eventually } from '../support/processes.ts';
import { pin, script, startHelper } from './machine.ts';

/** Something that passes bytes on, to be measured. */
export type Subject = AsyncDisposable & {
  readonly name: string;
  /** The processes whose CPU counts. */
  readonly pids: readonly number[];
  /** Where a path of the origin is to be had through it. */
  urlOf(path: string, options?: StreamOptions): Promise<string>;
};

export type StreamOptions = { readonly sharing?: 'shared' | 'per-client' };

export type SubjectStarter = {
  readonly name: string;
  readonly start: (origin: number) => Promise<Subject>;
};

export class Penstock implements Subject {
  readonly name = 'Penstock';
  readonly product: Product;
  readonly #origin: number;

  constructor(product: Product, origin: number) {
    this.product = product;
    this.#origin = origin;
  }

  static async start(origin: number): Promise<Penstock> {
    const product = await startProduct({ env: { LOG_LEVEL: 'warn' } });
    for (const pid of product.pids()) pin(pid, pid === product.pid('api') ? 'subject' : 'load');
    return new Penstock(product, origin);
  }

  get pids(): readonly number[] {
    return [this.product.pid('api')];
  }

  async urlOf(path: string, options: StreamOptions = {}): Promise<string> {
    const url = `http://127.0.0.1:${this.#origin}${path}`;
    const id = await this.product.api.createStream({ url, ...options });
    const isPlaylist = path.includes('.m3u8');
    return `${this.product.url}${isPlaylist ? `/hls/${id}/playlist.m3u8` : `/stream/${id}`}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.product[Symbol.asyncDispose]();
  }
}

async function startNodeProxy(name: string, file: string, origin: number): Promise<Subject> {
  const helper = startHelper(script(file, String(origin)), 'subject');
  const { port } = await helper.next();
  return {
    name,
    pids: [helper.pid],
    urlOf: (path) => Promise.resolve(`http://127.0.0.1:${String(port)}${path}`),
    [Symbol.asyncDispose]: () => helper[Symbol.asyncDispose](),
  };
}

const nginxConfig = (port: number, origin: number, options: string): string => `
daemon off; master_process off; worker_processes 1; pid nginx.pid; error_log stderr crit;
events { worker_connections 2048; }
http {
  access_log off; sendfile on; tcp_nopush on; types { } default_type application/octet-stream;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  proxy_cache_path cache keys_zone=c:8m max_size=200m;
  upstream origin { server 127.0.0.1:${origin}; keepalive 64; }
  server {
    listen 127.0.0.1:${port} backlog=1024; keepalive_requests 1000000;
    location / {
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_max_temp_file_size 0; ${options}
    }
  }
}
`;

async function startNginx(name: string, origin: number, options: string): Promise<Subject> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'penstock-bench-'));
  await writeFile(join(folder, 'nginx.conf'), nginxConfig(port, origin, options));
  const child = spawn('nginx', ['-p', folder, '-c', 'nginx.conf'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const exited = once(child, 'exit');
  await eventually('nginx listens', () => listens(port));
  const pid = child.pid ?? 0;
  pin(pid, 'subject');
  return {
    name,
    pids: [pid],
    urlOf: (path) => Promise.resolve(`http://127.0.0.1:${port}${path}`),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const CACHE_FOR_A_SECOND =
  'proxy_cache c; proxy_cache_key $uri; proxy_cache_valid 1s; proxy_cache_lock on; proxy_cache_use_stale updating;';
const LARGE_BUFFERS = 'proxy_buffers 16 64k; proxy_buffer_size 64k; proxy_busy_buffers_size 128k;';

export const penstock: SubjectStarter = {
  name: 'Penstock',
  start: (origin) => Penstock.start(origin),
};
export const nodePipeline: SubjectStarter = {
  name: 'Node pipeline',
  start: (origin) => startNodeProxy('Node pipeline', 'pipeline-proxy', origin),
};
export const nodeFanOut: SubjectStarter = {
  name: 'Node fan-out',
  start: (origin) => startNodeProxy('Node fan-out', 'pipeline-fan-out', origin),
};
export const nginx: SubjectStarter = {
  name: 'nginx',
  start: (origin) => startNginx('nginx', origin, ''),
};
export const nginxLarge: SubjectStarter = {
  name: 'nginx, 16×64k',
  start: (origin) => startNginx('nginx, 16×64k', origin, LARGE_BUFFERS),
};
/** Keeps everything for a second, whoever asks; bodies are sent from files in the page cache. */
export const nginxCache: SubjectStarter = {
  name: 'nginx, cache',
  start: (origin) => startNginx('nginx, cache', origin, `${LARGE_BUFFERS} ${CACHE_FOR_A_SECOND}`),
};
