/**
 * Measures Penstock beside a plain Node proxy and nginx, in one run on this machine, and prints
 * tables in Markdown. `scripts/bench` brings what it needs; docs/benchmarks.md says how to read it.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { viewers } from './cases/viewers.ts';
import { files, live } from './cases/passthrough.ts';
import { idleMemory, joinsAndLeaves, starts } from './cases/process.ts';
import { hls, registrations } from './cases/requests.ts';
import { script, startHelper } from './machine.ts';
import { formatTable, type Table } from './table.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    /** How long joins and leaves go on, in seconds. */
    soak: { type: 'string', default: '16' },
  },
});

const CASES: Readonly<Record<string, (origin: number) => Promise<Table>>> = {
  starts,
  memory: idleMemory,
  live,
  files,
  viewers,
  hls,
  registrations,
  joins: (origin) => joinsAndLeaves(origin, Number(values.soak)),
};

const startedAt = performance.now();
const chosen = values.only?.split(',') ?? Object.keys(CASES);
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}\n`);
await using origin = startHelper(script('origin'), 'load');
const { port } = await origin.next();
let failed = 0;
for (const name of chosen) {
  try {
    const table = await CASES[name]?.(Number(port));
    if (table) console.log(formatTable(table));
  } catch (error) {
    failed += 1;
    console.error(`${name} could not be measured.`, error);
  }
}
console.log(`Took ${Math.round((performance.now() - startedAt) / 1000)} s.`);
process.exitCode = failed === 0 ? 0 : 1;
