import { defineConfig } from 'vitest/config';

/** Most tests wait for something: more of them at once than one ends sooner. */
const MAX_WORKERS = 2;

/** One project per kind of test; `docs/testing.md` says what each may touch. */
const project = (name: string, timeoutMs: number, isolate = true) => ({
  test: {
    name,
    include: [`tests/${name}/**/*.test.ts`],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    isolate,
  },
});

export default defineConfig({
  test: {
    maxWorkers: MAX_WORKERS,
    projects: [
      // Nothing is mocked and nothing is kept in modules: all files may share them.
      project('unit', 5_000, false),
      project('integration', 20_000),
      project('contract', 30_000),
      project('e2e', 60_000),
      project('fault', 60_000),
    ],
  },
});
