import type { ErrorCode } from '#kernel/error-codes';

/** An error code as the value of a label: `UPSTREAM_STALLED` is `stalled`. */
export const errorWord = (code: ErrorCode): string => code.toLowerCase().replace(/^upstream_/, '');
