import type { ErrorCode } from './error-codes.ts';

export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>;

export type ErrorOptions = {
  /** One sentence that is safe to show: no URL, no credential, no provider's text. */
  readonly message: string;
  /** Facts that are safe to show: ids, numbers, words of ours. */
  readonly details?: ErrorDetails;
  readonly cause?: unknown;
};

/**
 * Every failure that we foresee. Matched by `code`, never by message.
 * Leaving viewers are not failures: they are recognised by their signal.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, { message, details = {}, cause }: ErrorOptions) {
    super(message, { cause });
    this.name = new.target.name;
    this.code = code;
    this.details = details;
  }
}

/** The caller's request cannot be carried out as it stands. */
export class InvalidInputError extends AppError {}
/** The caller may not do this. */
export class NotAllowedError extends AppError {}
/** What was asked for does not exist here. */
export class NotFoundError extends AppError {}
/** A source or its server failed us; moves the failover on. */
export class UpstreamError extends AppError {}
/** Bytes arrived, but they are not the media they should be. */
export class MediaError extends AppError {}
/** Redis or the queue is away; the same request may succeed later. */
export class DependencyError extends AppError {}

/** A bug of ours: reported without detail, logged in full. */
export class InvariantError extends AppError {
  constructor(message: string, cause?: unknown) {
    super('INTERNAL', { message, cause });
  }
}

/** The code of any thrown value; `INTERNAL` for what we did not foresee. */
export const codeOf = (error: unknown): ErrorCode =>
  error instanceof AppError ? error.code : 'INTERNAL';

/** Any thrown value as an `AppError`; what we did not foresee becomes `INTERNAL`. */
export const toAppError = (error: unknown): AppError =>
  error instanceof AppError ? error : new InvariantError('Unexpected failure.', error);
