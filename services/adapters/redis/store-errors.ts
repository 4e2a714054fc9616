import { ReplyError } from 'ioredis';
import type { ChainableCommander } from 'ioredis';
import { AppError, DependencyError, InvariantError } from '#kernel/app-error';

/**
 * Redis' own errors that pass: asked again later, it may say yes. Within a script the word stands
 * after a hyphen, up to Redis 6.2.
 */
const PASSING =
  /(?:^|-)(?:BUSY|CLUSTERDOWN|EXECABORT|LOADING|MASTERDOWN|MISCONF|NOREPLICAS|NOSCRIPT|OOM|READONLY|TRYAGAIN)\b/;

/** Whether a failed command is worth repeating: Redis is away, or for now unable. */
export function isPassing(error: unknown): boolean {
  return !(error instanceof ReplyError) || PASSING.test((error as Error).message);
}

/** A failure of ioredis in our words; its text names keys and hosts, so it stays in `cause`. */
export function toStoreError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (!isPassing(error)) return new InvariantError('Redis refused a command.', error);
  return storeUnavailable(error);
}

export const storeUnavailable = (cause?: unknown): DependencyError =>
  new DependencyError('STORE_UNAVAILABLE', { message: 'The store is not available.', cause });

/** Runs commands; what they throw is translated. */
export async function inStore<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw toStoreError(error);
  }
}

/** Runs a transaction and gives its replies; throws when any command of it failed. */
export async function transact(commands: ChainableCommander): Promise<readonly unknown[]> {
  const replies = (await inStore(() => commands.exec())) ?? [];
  const failed = replies.find(([error]) => error !== null);
  if (failed) throw toStoreError(failed[0]);
  return replies.map(([, reply]) => reply);
}
