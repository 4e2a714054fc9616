import { defineConfig } from 'vitest/config';

/** One project per kind of test; `docs/testing.md` says what each may touch. */
const project = (name: string, timeoutMs: number, parallel: boolean) => ({
  test: {
    name,
    include: [`tests/${name}/**/*.test.ts`],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    fileParallelism: parallel,
  },
});

/** Most tests wait for something: more of them at once than there are cores ends sooner. */
const MAX_WORKERS = 3;

export default defineConfig({
  test: {
    maxWorkers: MAX_WORKERS,
    projects: [
      project('unit', 5_000, true),
      project('integration', 20_000, true),
      project('contract', 30_000, true),
      project('e2e', 60_000, true),
      project('fault', 60_000, true),
    ],
  },
});
