import { UpstreamError } from '#kernel/app-error';
import type { ConnectionPermit } from './connection-allowance.ts';

/** The request could not go on, since its place at the provider is another's now. */
export const placeLost = (): UpstreamError =>
  new UpstreamError('UPSTREAM_RESET', { message: 'The place at the provider was lost.' });

/** What is thrown for a request that has ended with its place, rather than with its asker. */
export const orPlaceLost = (
  error: unknown,
  { lost }: ConnectionPermit,
  signal: AbortSignal,
): unknown => (lost.aborted && !signal.aborted ? placeLost() : error);
