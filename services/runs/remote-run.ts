import { AppError } from '#kernel/app-error';
import type { StreamId } from '#kernel/ids';
import { runToken } from '#transcode';
import type { UpstreamClient, UpstreamResponse } from '#upstream';
import { noWorker, workerLost } from './run-error.ts';

export type RemoteRunOptions = {
  readonly client: UpstreamClient;
  /** The one that all processes of this installation share. */
  readonly secret: Buffer;
  /** How long the other process may take to have media. */
  readonly startMs: number;
  /** What is told when that process is lost; a lost run when absent. */
  readonly lost?: () => AppError;
};

const CONNECT_MS = 2_000;
/** The other process asks its sources first. */
const SLACK_MS = 20_000;

/**
 * What another api process makes of a stream, as a run of ours.
 * @throws AppError `TRANSCODE_FAILED` when it cannot be had there now; the signal's reason.
 */
export async function openRemoteRun(
  { client, secret, startMs, lost = workerLost }: RemoteRunOptions,
  { holder, streamId }: { readonly holder: string; readonly streamId: StreamId },
  signal: AbortSignal,
): Promise<UpstreamResponse> {
  const request = {
    method: 'GET',
    url: `${holder}/streams/${streamId}/output`,
    headers: { Authorization: `Bearer ${runToken(secret, streamId)}` },
    timeouts: { connectMs: CONNECT_MS, headersMs: startMs + SLACK_MS },
  } as const;
  const response = await client.open(request, signal).catch((error: unknown) => {
    throw error instanceof AppError ? lost() : error;
  });
  if (response.status === 200) return asRun(response, lost);
  response.close();
  throw response.status === 503 ? noWorker('all_slots_busy') : lost();
}

/** However it ends, it is to be asked for anew: there, or here if that process is gone. */
const asRun = (response: UpstreamResponse, lost: () => AppError): UpstreamResponse => ({
  status: response.status,
  headers: response.headers,
  finalUrl: '',
  read: (sink) =>
    response.read({
      chunk: (bytes) => sink.chunk(bytes),
      end: () => sink.fail(lost()),
      fail: () => sink.fail(lost()),
    }),
  resume: () => response.resume(),
  close: () => response.close(),
});
