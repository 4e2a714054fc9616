import { AppError, UpstreamError } from '#kernel/app-error';
import type { ErrorCode } from '#kernel/error-codes';

/** What a failed connection is in our words, with the system's own word for it in the details. */
export function toUpstreamFailure(error: unknown): AppError {
  const chain = causesOf(error);
  const ours = chain.find((link) => link instanceof AppError);
  if (ours !== undefined) return ours;
  const reasons = chain.map(reasonOf).filter((reason) => reason !== '');
  const reason = reasons.find((one) => codeFor(one) !== undefined) ?? reasons[0] ?? 'unknown';
  const code = codeFor(reason) ?? 'UPSTREAM_RESET';
  return new UpstreamError(code, { message: MESSAGES[code], details: { reason }, cause: error });
}

type FailureCode = keyof typeof MESSAGES;

const MESSAGES = {
  UPSTREAM_REFUSED: 'The provider could not be reached.',
  UPSTREAM_DNS: "The provider's name could not be resolved.",
  UPSTREAM_TLS: 'The provider could not be reached securely.',
  UPSTREAM_TIMEOUT: 'The provider did not answer in time.',
  UPSTREAM_RESET: 'The provider broke the connection.',
  UPSTREAM_REDIRECT_LOOP: 'The provider redirects without end.',
  UPSTREAM_PROTOCOL: 'The provider did not answer in HTTP.',
} as const satisfies Partial<Record<ErrorCode, string>>;

/** First match wins; what matches none counts as a broken connection. */
const CODES: readonly (readonly [RegExp, FailureCode])[] = [
  [/^(ENOTFOUND|EAI_\w+|ENODATA|ESERVFAIL|EBADNAME)$/, 'UPSTREAM_DNS'],
  [/^(ECONNREFUSED|E(HOST|NET)(UNREACH|DOWN)|EADDRNOTAVAIL|EACCES|EPERM)$/, 'UPSTREAM_REFUSED'],
  [/^(ETIMEDOUT|ECONNABORTED|ESOCKETTIMEDOUT)$/, 'UPSTREAM_TIMEOUT'],
  [/^(ECONNRESET|EPIPE)$/, 'UPSTREAM_RESET'],
  [/^ERR_FR_TOO_MANY_REDIRECTS$/, 'UPSTREAM_REDIRECT_LOOP'],
  [/^(HPE_\w+|ERR_INVALID_\w+)$/, 'UPSTREAM_PROTOCOL'],
  [/^(EPROTO|ERR_TLS_\w+|ERR_SSL_\w+|ERR_OSSL_\w+)$/, 'UPSTREAM_TLS'],
  [/CERT|SIGNATURE|CRL|ISSUER/, 'UPSTREAM_TLS'],
];

const codeFor = (reason: string): FailureCode | undefined =>
  CODES.find(([pattern]) => pattern.test(reason))?.[1];

/** The error and what caused it; of a race of addresses, every loser. */
function causesOf(error: unknown, depth = 0): unknown[] {
  if (!(error instanceof Error) || depth > MAX_DEPTH) return [];
  const inner = error instanceof AggregateError ? error.errors : [];
  return [error, ...[...inner, error.cause].flatMap((cause) => causesOf(cause, depth + 1))];
}

const MAX_DEPTH = 8;

const reasonOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
