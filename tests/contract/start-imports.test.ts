import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const pathOf = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

/** Prints every module that a `main.ts` imports, all below it, and what Node.js loads of its own. */
const LIST_IMPORTS = `
  const { registerHooks } = await import('node:module');
  const source = 'export const runProcess = () => {};';
  const nothing = { format: 'module', source, shortCircuit: true };
  registerHooks({
    load(url, context, next) {
      console.log(url);
      return url.endsWith('/services/lifecycle/index.ts') ? nothing : next(url, context);
    },
  });
  await import(process.argv[1]);
  console.log(process.moduleLoadList.join('\\n'));
`;

async function importsOf(file: string): Promise<string> {
  const args = ['--input-type=module', '--eval', LIST_IMPORTS, pathOf(file)];
  const env = { NODE_COMPILE_CACHE: join(tmpdir(), 'penstock-test-compile-cache') };
  const limits = { timeout: 20_000, maxBuffer: 1024 * 1024 };
  const { stdout } = await run(process.execPath, args, { env, cwd: tmpdir(), ...limits });
  return stdout;
}

/** Of Node.js itself: fetch and WebSocket, which an `import` of `node:http` brings along. */
const FETCH = 'internal/deps/undici/undici';

/** Each costs every process that it is loaded in between 3 and 14 MB, for what few ever ask for. */
it.for([
  {
    file: 'api/main.ts',
    packages: ['axios', 'bullmq', 'execa', 'yaml'],
    ours: [],
    needs: 'node_modules/express/',
  },
  {
    file: 'workers/main.ts',
    packages: ['axios', 'execa', 'express', 'yaml'],
    ours: ['services/delivery/live/', 'services/streams/', 'services/segments/'],
    needs: 'node_modules/bullmq/',
  },
  {
    file: 'services/supervisor/main.ts',
    packages: ['bullmq', 'ioredis', 'prom-client', 'yaml'],
    ours: ['services/delivery/'],
    needs: 'node_modules/execa/',
  },
])('the start of $file loads nothing that most processes never use', async (row) => {
  const loaded = await importsOf(row.file);
  expect(loaded).toContain(row.needs);
  const packages = row.packages.map((name) => `/node_modules/${name}/`);
  const unwanted = [FETCH, ...packages, ...row.ours];
  expect(unwanted.filter((path) => loaded.includes(path))).toEqual([]);
});
