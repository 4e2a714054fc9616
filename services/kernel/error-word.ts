import type { ErrorCode } from './error-codes.ts';

/** An error code as events and metrics name it: in lower case, without `UPSTREAM_`. */
export const errorWord = (code: ErrorCode | 'manual' | 'failback'): string =>
  code.toLowerCase().replace(/^upstream_/, '');
