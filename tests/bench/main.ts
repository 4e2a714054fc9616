/**
 * Measures Penstock beside a plain Node proxy and nginx, in one run on this machine, and prints
 * tables in Markdown. `scripts/bench` brings what it needs; docs/benchmarks.md says how to read it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { viewers } from './cases/viewers.ts';
import { gaps } from './cases/gaps.ts';
import { hlsFromCache } from './cases/hls-cache.ts';
import { hlsSoak } from './cases/hls-soak.ts';
import { files, live } from './cases/passthrough.ts';
import { idleMemory, joinsAndLeaves, starts } from './cases/process.ts';
import { hls, registrations } from './cases/requests.ts';
import { transcode } from './cases/transcode.ts';
import { script, startHelper } from './machine.ts';
import { formatTable, type Table } from './table.ts';

const MARK = '## Measured';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    /** How long joins and leaves go on, and players of `hls-soak`, in seconds. */
    soak: { type: 'string', default: '16' },
    /** Of `gaps`: which. */
    gap: { type: 'string' },
    /** Puts what was measured into docs/benchmarks.md. */
    save: { type: 'boolean', default: false },
  },
});

const CASES: Readonly<Record<string, (origin: number) => Promise<Table>>> = {
  starts,
  memory: idleMemory,
  live,
  files,
  viewers,
  gaps: () => gaps(values.gap),
  hls,
  'hls-cache': hlsFromCache,
  registrations,
  transcode,
  joins: (origin) => joinsAndLeaves(origin, Number(values.soak)),
  'hls-soak': (origin) => hlsSoak(origin, Number(values.soak)),
};

const startedAt = performance.now();
const chosen = values.only?.split(',') ?? Object.keys(CASES);
const printed: string[] = [];
const print = (text: string): void => {
  printed.push(text);
  console.log(text);
};
print(machine());
await using origin = startHelper(script('origin'), 'load');
const { port } = await origin.next();
let failed = 0;
for (const name of chosen) {
  try {
    const table = await CASES[name]?.(Number(port));
    if (table) print(formatTable(table));
  } catch (error) {
    failed += 1;
    console.error(`${name} could not be measured.`, error);
  }
}
console.log(`Took ${Math.round((performance.now() - startedAt) / 1000)} s.`);
if (values.save && failed === 0) saveMeasured(printed.join('\n'));
process.exitCode = failed === 0 ? 0 : 1;

function machine(): string {
  const day = new Date().toISOString().slice(0, 10);
  const [load = 0] = loadavg();
  const busy = load > 1 ? `, busy with other things (load ${load.toFixed(1)})` : '';
  return `${day}, Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}${busy}\n`;
}

function saveMeasured(text: string): void {
  const page = new URL('../../docs/benchmarks.md', import.meta.url);
  const [head = ''] = readFileSync(page, 'utf8').split(MARK);
  writeFileSync(page, `${head}${MARK}\n\n${text.trim()}\n`);
}
