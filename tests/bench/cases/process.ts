import { setTimeout as delay } from 'node:timers/promises';
import { measure } from '../measure.ts';
import { memoryOf } from '../machine.ts';
import { nodePipeline, nginx, Penstock } from '../subjects.ts';
import { startProduct } from '../../support/product.ts';
import { rounded, whole, type Table } from '../table.ts';

const SETTLE_MS = 5_000;
const STARTS = 3;
const ROLES = ['supervisor', 'api', 'worker', 'redis'] as const;

/** From the command to the line that all is ready; the first start has nothing compiled. */
export async function starts(): Promise<Table> {
  const readyInMs: number[] = [];
  for (let index = 0; index < STARTS; index += 1) {
    await using product = await startProduct();
    readyInMs.push(product.readyInMs);
  }
  return {
    title: 'Start to ready',
    columns: ['', ...readyInMs.map((_, index) => `start ${index + 1}`)],
    rows: [['Penstock', ...readyInMs.map((ms) => `${rounded(ms / 1000)} s`)]],
  };
}

export async function idleMemory(origin: number): Promise<Table> {
  const rows: string[][] = [];
  await using product = await startProduct();
  await delay(SETTLE_MS);
  for (const role of ROLES) {
    rows.push(row(`Penstock, ${role}`, [product.pid(role)]));
  }
  rows.push(row('Penstock, all processes', product.pids()));
  for (const starter of [nodePipeline, nginx]) {
    await using subject = await starter.start(origin);
    await delay(1_000);
    rows.push(row(starter.name, subject.pids));
  }
  return { title: 'Memory when idle', columns: ['', 'PSS MB', 'RSS MB'], rows };
}

function row(name: string, pids: readonly number[]): string[] {
  const { pssMb, rssMb } = memoryOf(pids);
  return [name, whole(pssMb), whole(rssMb)];
}

/** Viewers of an 8 Mbit/s stream that join, read 64 KiB and leave, again and again. */
export async function joinsAndLeaves(origin: number, seconds: number): Promise<Table> {
  await using subject = await Penstock.start(origin);
  const url = await subject.urlOf('/paced.ts');
  const rows: string[][] = [];
  for (let round = 1; round <= 4; round += 1) {
    const order = { kind: 'churn', url, connections: 16, seconds: seconds / 4 } as const;
    const { rounds, cpuSeconds } = await measure(subject, order);
    await delay(500);
    rows.push([
      `after ${round} × ${seconds / 4} s`,
      whole(rounds),
      rounded((cpuSeconds * 1000) / rounds, 2),
      ...ROLES.map((role) => whole(memoryOf([subject.product.pid(role)]).pssMb)),
    ]);
  }
  return {
    title: 'Joins and leaves, 16 at a time',
    columns: ['Penstock', 'joins', 'CPU ms per join', ...ROLES.map((role) => `${role} PSS MB`)],
    rows,
  };
}
