import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

export type ProxyOptions = {
  /** `user:password` that is asked for. */
  readonly credentials?: string;
  /** Said instead of connecting: a status of CONNECT, or a code of SOCKS. */
  readonly refusal?: number;
  /** Takes connections and never says a word. */
  readonly isMute?: boolean;
};

type Opened = { readonly host: string; readonly port: number };

/** A proxy written by hand, on a free port of 127.0.0.1: what it was asked, and by whom. */
export class TestProxy implements AsyncDisposable {
  readonly asked: Opened[] = [];
  /** Local ports of its connections to targets. */
  readonly ports: number[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(serve: (proxy: TestProxy, socket: Socket) => Promise<void>) {
    this.#server = createServer((socket) => {
      this.#keep(socket);
      serve(this, socket).catch(() => socket.destroy());
    });
  }

  static async connect(options: ProxyOptions = {}): Promise<TestProxy> {
    return TestProxy.#listening(
      new TestProxy((proxy, socket) => viaConnect(proxy, socket, options)),
    );
  }

  static async socks5(options: ProxyOptions = {}): Promise<TestProxy> {
    return TestProxy.#listening(new TestProxy((proxy, socket) => viaSocks(proxy, socket, options)));
  }

  static async #listening(proxy: TestProxy): Promise<TestProxy> {
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(scheme: string, credentials = ''): string {
    return `${scheme}://${credentials === '' ? '' : `${credentials}@`}127.0.0.1:${this.port}`;
  }

  /** Every name leads to this machine. */
  async open(socket: Socket, to: Opened): Promise<Socket> {
    const target = connect(to.port, '127.0.0.1');
    this.#keep(target);
    await once(target, 'connect');
    this.ports.push(target.localPort ?? 0);
    socket.on('close', () => target.destroy());
    target.on('close', () => socket.destroy());
    return target;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
  }
}

async function viaConnect(proxy: TestProxy, socket: Socket, options: ProxyOptions): Promise<void> {
  if (options.isMute) return;
  let head = '';
  while (!head.endsWith('\r\n\r\n')) head += (await read(socket, 1)).toString('latin1');
  const [, host = '', port = ''] = /^CONNECT (.+):(\d+) HTTP\/1\.1\r\n/.exec(head) ?? [];
  const wanted = options.credentials && Buffer.from(options.credentials).toString('base64');
  if (wanted && !head.includes(`Proxy-Authorization: Basic ${wanted}\r\n`)) {
    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    return;
  }
  proxy.asked.push({ host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) });
  if (options.refusal !== undefined) {
    socket.end(`HTTP/1.1 ${options.refusal} No\r\n\r\n`);
    return;
  }
  const target = await proxy.open(socket, { host, port: Number(port) });
  socket.write('HTTP/1.1 200 Connection established\r\nX-Proxy: test\r\n\r\n');
  socket.pipe(target).pipe(socket);
}

const [NAME, IPV6] = [3, 4];

async function viaSocks(proxy: TestProxy, socket: Socket, options: ProxyOptions): Promise<void> {
  if (options.isMute) return;
  const [, count = 0] = await read(socket, 2);
  const methods = await read(socket, count);
  const method = options.credentials === undefined ? 0 : 2;
  socket.write(Buffer.from([5, methods.includes(method) ? method : 0xff]));
  if (method === 2 && !(await isLetIn(socket, options.credentials ?? ''))) return;
  const [, , , kind = 1] = await read(socket, 4);
  const host = await hostOf(socket, kind);
  const port = (await read(socket, 2)).readUInt16BE();
  proxy.asked.push({ host, port });
  const reply = (code: number) => socket.write(Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]));
  if (options.refusal !== undefined) return void reply(options.refusal);
  const target = await proxy.open(socket, { host, port });
  reply(0);
  socket.pipe(target).pipe(socket);
}

async function isLetIn(socket: Socket, credentials: string): Promise<boolean> {
  const [, userLength = 0] = await read(socket, 2);
  const user = (await read(socket, userLength)).toString();
  const [passwordLength = 0] = await read(socket, 1);
  const password = (await read(socket, passwordLength)).toString();
  const isRight = `${user}:${password}` === credentials;
  socket.write(Buffer.from([1, isRight ? 0 : 1]));
  return isRight;
}

async function hostOf(socket: Socket, kind: number): Promise<string> {
  if (kind === NAME) return (await read(socket, (await read(socket, 1))[0] ?? 0)).toString();
  const bytes = await read(socket, kind === IPV6 ? 16 : 4);
  return kind === IPV6 ? bytes.toString('hex') : [...bytes].join('.');
}

async function read(socket: Socket, size: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(size) as Buffer | null;
    if (bytes !== null) return bytes;
    await once(socket, 'readable');
  }
}
