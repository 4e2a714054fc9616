import { AppError, DependencyError, NotFoundError } from '#kernel/app-error';
import type { NetworkId } from './ids.ts';

export const noSuchNetwork = (): NotFoundError =>
  new NotFoundError('NETWORK_NOT_FOUND', { message: 'Broadcast not found' });

export const startFailed = (id: NetworkId, reason: string): AppError =>
  new AppError('NETWORK_START_FAILED', { message: `Network ${id} did not start: ${reason}` });

export function startThrottled(id: NetworkId, waitMs: number): AppError {
  const retryAfterSeconds = Math.ceil(waitMs / 1000);
  return new AppError('NETWORK_START_THROTTLED', {
    message: `Network ${id} has failed to start too often; try again in ${retryAfterSeconds} seconds.`,
    details: { retryAfterSeconds },
  });
}

export const stoppedMeanwhile = (id: NetworkId): AppError =>
  new AppError('NETWORK_STOPPED', {
    message: `Network ${id} was stopped while it was being started.`,
  });

export const noNetworkWorker = (): DependencyError =>
  new DependencyError('WORKERS_AT_CAPACITY', { message: 'No worker has taken the network.' });
