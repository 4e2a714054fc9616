/**
 * The players of the benchmark: sockets that read and forget. Told what to do by its argument, says
 * when the measured time begins and ends, so that somebody else can read the clock of the server.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { LoadOrder, LoadResult } from '../load-order.ts';

const order = JSON.parse(process.argv[2] ?? '{}') as LoadOrder;
const READY_DEADLINE_MS = 20_000;
/** Shared by all sockets: what is read is not looked at, and never kept. */
const buffer = Buffer.allocUnsafeSlow(1024 * 1024);

class Player {
  bytes = 0;
  longestGapMs = 0;
  reads = 0;
  lastAtMs = performance.now();
  isClosed = false;
  readonly #socket: Socket;

  constructor(url: URL) {
    this.#socket = connect({
      host: url.hostname,
      port: Number(url.port),
      onread: { buffer, callback: (count) => this.#read(count) },
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => (this.isClosed = true));
    this.#socket.write(
      `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\n\r\n`,
    );
  }

  note(): void {
    const now = performance.now();
    this.longestGapMs = Math.max(this.longestGapMs, now - this.lastAtMs);
    this.lastAtMs = now;
  }

  #read(count: number): boolean {
    this.note();
    this.bytes += count;
    this.reads += 1;
    return true;
  }

  reset(): void {
    this.bytes = 0;
    this.longestGapMs = 0;
    this.reads = 0;
  }

  leave(): void {
    this.#socket.destroy();
  }
}

const urlOf = (index: number): URL => new URL(order.url.replace('{n}', String(index)));

async function hold(): Promise<LoadResult> {
  const players: Player[] = [];
  for (let index = 0; index < order.connections; index += 1) {
    players.push(new Player(urlOf(index)));
    if (index % 25 === 24) await delay(20);
  }
  const waiting = (): number => players.filter(({ bytes }) => bytes <= 64 * 1024).length;
  await until(
    () => waiting() === 0,
    () => `${waiting()} of ${players.length} players, ${closedOf(players)} of them cut off, wait.`,
  );
  await delay(order.warmUpMs ?? 500);
  for (const player of players) player.reset();
  const startedAt = performance.now();
  console.log(JSON.stringify({ phase: 'begin' }));
  await delay(order.seconds * 1000);
  const result = summed(players, performance.now() - startedAt);
  console.log(JSON.stringify({ phase: 'end', result }));
  for (const player of players) player.leave();
  return result;
}

function summed(players: readonly Player[], elapsedMs: number): LoadResult {
  // Silence that goes on is a pause too.
  for (const player of players) player.note();
  const bytes = players.map((player) => player.bytes);
  return {
    seconds: elapsedMs / 1000,
    bytes: bytes.reduce((sum, count) => sum + count, 0),
    leastBytes: Math.min(...bytes),
    longestGapMs: Math.max(...players.map((player) => player.longestGapMs)),
    closed: closedOf(players),
    rounds: 0,
  };
}

const closedOf = (players: readonly Player[]): number =>
  players.filter(({ isClosed }) => isClosed).length;

/** Joins, reads a little, leaves, and again. */
async function churn(): Promise<LoadResult> {
  console.log(JSON.stringify({ phase: 'begin' }));
  const startedAt = performance.now();
  const endAt = startedAt + order.seconds * 1000;
  let rounds = 0;
  let bytes = 0;
  const one = async (index: number): Promise<void> => {
    while (performance.now() < endAt) {
      const player = new Player(urlOf(index));
      await until(() => player.bytes > 64 * 1024 || player.isClosed);
      player.leave();
      rounds += 1;
      bytes += player.bytes;
    }
  };
  await Promise.all(Array.from({ length: order.connections }, (_, index) => one(index)));
  const seconds = (performance.now() - startedAt) / 1000;
  const result = { seconds, bytes, leastBytes: 0, longestGapMs: 0, closed: 0, rounds };
  console.log(JSON.stringify({ phase: 'end', result }));
  return result;
}

async function until(condition: () => boolean, say = () => ''): Promise<void> {
  const deadline = performance.now() + READY_DEADLINE_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`The server did not send in time. ${say()}`);
    await delay(5);
  }
}

await (order.kind === 'churn' ? churn() : hold());
