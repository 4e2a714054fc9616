import { setTimeout as delay } from 'node:timers/promises';
import { cpuSeconds, memoryOf, script, startHelper } from '../machine.ts';
import type { Helper, Line } from '../machine.ts';
import { Penstock } from '../subjects.ts';
import { rounded, whole, type Table } from '../table.ts';

const LISTS = 20;
const PLAYERS = 100;
const ROUNDS = 12;
const ROLES = ['supervisor', 'api', 'worker', 'redis'] as const;
const SETTLE_MS = 2_000;

type Seen = Readonly<Record<'playlists' | 'segments' | 'bytes' | 'failed' | 'zaps', number>>;

/** 100 players on 20 live lists in real time, each zapping now and then: does memory grow? */
export async function hlsSoak(origin: number, seconds: number): Promise<Table> {
  await using subject = await Penstock.start(origin);
  const playlists: string[] = [];
  for (let list = 0; list < LISTS; list += 1) {
    playlists.push(await subject.urlOf(`/rolling/${list}/index.m3u8`));
  }
  await delay(SETTLE_MS);
  const rows = [row(subject, 0, undefined)];
  const order = { playlists, players: PLAYERS, seconds };
  await using players = startHelper(script('hls-players', JSON.stringify(order)), 'load');
  const startedAt = performance.now();
  let isOver = false;
  for (let round = 1; round <= ROUNDS && !isOver; round += 1) {
    const { seen, phase } = await lineAt(players, startedAt + (round * seconds * 1000) / ROUNDS);
    rows.push(row(subject, (performance.now() - startedAt) / 1000, seen as Seen));
    isOver = phase === 'end';
  }
  return {
    title: `${PLAYERS} players on ${LISTS} live playlists`,
    columns: [
      'after',
      'playlists',
      'segments',
      'GB',
      'zaps',
      'failed',
      'api CPU s',
      ...ROLES.map((role) => `${role} PSS MB`),
      'api RSS MB',
    ],
    rows,
  };
}

/** What the players say at that time, or at their end. */
async function lineAt(players: Helper, atMs: number): Promise<Line> {
  for (;;) {
    const line = await players.next();
    if (performance.now() >= atMs || line['phase'] === 'end') return line;
  }
}

function row({ product }: Penstock, seconds: number, seen: Seen | undefined): string[] {
  const cells = [
    `${whole(seconds)} s`,
    ...(['playlists', 'segments'] as const).map((name) => whole(seen?.[name] ?? 0)),
    rounded((seen?.bytes ?? 0) / 1e9, 1),
    ...(['zaps', 'failed'] as const).map((name) => whole(seen?.[name] ?? 0)),
    rounded(cpuSeconds(product.pid('api')), 1),
    ...ROLES.map((role) => whole(memoryOf([product.pid(role)]).pssMb)),
    whole(memoryOf([product.pid('api')]).rssMb),
  ];
  console.error(cells.join('  '));
  return cells;
}
