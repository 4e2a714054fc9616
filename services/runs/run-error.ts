import { DependencyError, MediaError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { RunFailure } from '#transcode';

const MESSAGES: Readonly<Record<RunFailure, string>> = {
  template: 'FFmpeg does not accept these arguments for this stream.',
  encoder_missing: 'The FFmpeg of this installation lacks an encoder or filter that is asked for.',
  hardware: 'The device that was to encode did not.',
  input: 'What the source sent could not be read as media.',
  memory: 'The machine ran out of memory.',
  killed: 'FFmpeg was killed.',
  crashed: 'FFmpeg crashed.',
  stalled: 'FFmpeg was given media and gave none.',
  unknown: 'The transcode ended unexpectedly.',
};

/** A run failed; `details.reason` says why in one word. */
export const runFailed = (failure: RunFailure): AppError =>
  new MediaError(failure === 'stalled' ? 'TRANSCODE_STALLED' : 'TRANSCODE_FAILED', {
    message: MESSAGES[failure],
    details: { reason: failure },
  });

/** The worker, or the way to it, was lost in the middle. */
export const workerLost = (): AppError =>
  new MediaError('TRANSCODE_FAILED', {
    message: 'The worker was lost.',
    details: { reason: 'worker_lost' },
  });

/** @param reason - `no_worker`, `all_slots_busy`, or that none came in time. */
export const noWorker = (reason: 'no_worker' | 'all_slots_busy' | 'not_taken'): AppError =>
  new DependencyError('WORKERS_AT_CAPACITY', {
    message:
      reason === 'no_worker'
        ? 'No worker that transcodes is running.'
        : 'Every worker is busy with other transcodes.',
    details: { reason },
  });

/** Why a run ended, as far as restarts are concerned; undefined for what is no fault of the run. */
export function failureOf(error: AppError): RunFailure | undefined {
  if (error.code === 'TRANSCODE_STALLED') return 'stalled';
  if (error.code === 'WORKERS_AT_CAPACITY' || error.code === 'QUEUE_UNAVAILABLE') return 'unknown';
  if (error.code !== 'TRANSCODE_FAILED') return undefined;
  const { reason } = error.details;
  return typeof reason === 'string' && Object.hasOwn(MESSAGES, reason)
    ? (reason as RunFailure)
    : 'unknown';
}
