import { DependencyError, MediaError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { Resource, RunFailure } from '#transcode';

const MESSAGES: Readonly<Record<RunFailure, string>> = {
  template: 'FFmpeg does not accept these arguments for this stream.',
  encoder_missing: 'The FFmpeg of this installation lacks an encoder or filter that is asked for.',
  hardware: 'The device that was to encode did not.',
  input: 'What the source sent could not be read as media.',
  memory: 'FFmpeg held more memory than it may, or than there is.',
  cpu: 'FFmpeg used more of the processors than it may.',
  killed: 'FFmpeg was killed.',
  crashed: 'FFmpeg crashed.',
  stalled: 'FFmpeg was given media and gave none.',
  drained: 'The worker had to end.',
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

const NO_PLACE = {
  no_worker: 'No worker that transcodes is running.',
  all_slots_busy: 'Every worker is busy with other transcodes.',
  cpu_slots_busy: 'No worker has a processor left for another encode.',
  gpu_sessions_busy: 'No worker has an encode session of its device left.',
  not_taken: 'No worker has taken the transcode in time.',
} as const;

/** Why no worker takes a run, in one word. */
export type NoPlace = keyof typeof NO_PLACE;

/** What a resource is called of which there is too little. */
export const NO_RESOURCE = {
  slots: 'all_slots_busy',
  cpu: 'cpu_slots_busy',
  gpu: 'gpu_sessions_busy',
} as const satisfies Record<Resource, NoPlace>;

/** No worker takes a run now; `details.reason` says why in one word. */
export const noWorker = (reason: NoPlace): AppError =>
  new DependencyError('WORKERS_AT_CAPACITY', { message: NO_PLACE[reason], details: { reason } });

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
