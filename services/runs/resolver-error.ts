import { DependencyError, MediaError, UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { ErrorCode } from '#kernel/error-codes';
import type { ResolveFailure } from '#resolve';

type Told = { readonly code: ErrorCode; readonly message: string };

const TOLD: Readonly<Record<ResolveFailure, Told>> = {
  no_media: { code: 'RESOLVER_FAILED', message: 'The page has nothing to play now.' },
  format: { code: 'RESOLVER_FAILED', message: 'The page has no such format.' },
  login: { code: 'RESOLVER_FAILED', message: 'The page wants to be signed in to.' },
  country: { code: 'RESOLVER_FAILED', message: 'The page is not for this country.' },
  refused: { code: 'RESOLVER_FAILED', message: 'The site refuses this machine.' },
  unsupported: { code: 'RESOLVER_FAILED', message: 'The program does not know this kind of page.' },
  unreachable: { code: 'RESOLVER_FAILED', message: 'The site could not be reached.' },
  media: {
    code: 'UPSTREAM_WRONG_TYPE',
    message: 'The media of the page cannot be packed as a transport stream.',
  },
  program_missing: {
    code: 'PROGRAM_MISSING',
    message: 'The program that finds the media of the page is not installed.',
  },
  cookies: { code: 'COOKIES_FILE_INVALID', message: 'The cookies file cannot be used any more.' },
  egress: { code: 'EGRESS_FAILED', message: 'The program cannot take the way out that is set.' },
  ended: { code: 'UPSTREAM_ENDED', message: 'The live media of the page has ended.' },
  crashed: { code: 'RESOLVER_FAILED', message: 'The program ended without media.' },
  killed: { code: 'UPSTREAM_RESET', message: 'The program was killed.' },
};

/** Why there is no media, or no more. */
export function resolveFailed(failure: ResolveFailure): AppError {
  const { code, message } = TOLD[failure];
  const options = { message, details: { reason: failure } };
  if (code === 'PROGRAM_MISSING') return new DependencyError(code, options);
  if (code === 'UPSTREAM_WRONG_TYPE') return new MediaError(code, options);
  return new UpstreamError(code, options);
}

/** The worker, or the way to it, was lost in the middle. */
export const resolverLost = (): AppError =>
  new UpstreamError('UPSTREAM_RESET', {
    message: 'The worker was lost.',
    details: { reason: 'worker_lost' },
  });

/** No worker, or none of its program, gave anything in time. */
export const resolverLate = (): AppError =>
  new UpstreamError('UPSTREAM_TIMEOUT', { message: 'The program found nothing in time.' });
