import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What programs of ours start with in tests: what one has compiled, the next need not. */
export const COMPILE_CACHE = {
  NODE_COMPILE_CACHE: join(tmpdir(), 'penstock-test-compile-cache'),
} as const;
