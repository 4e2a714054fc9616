import { once } from 'node:events';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { request } from '#kernel/node-http';
import { runToken } from '#transcode';
import type { RunJob } from '#transcode';

/** The api process lives beside us, or in the same private network. */
const ANSWER_MS = 5_000;

/** A worker's side of one run: media in, media out, and what there is to tell. */
export type RunLink = {
  /** The media; undefined when the run is over already, or has another worker. */
  openInput(signal: AbortSignal): Promise<IncomingMessage | undefined>;
  /** Where output goes. Closed by the other side when nobody wants it any more. */
  openOutput(): ClientRequest;
  /** Never rejects: whoever does not hear it has gone. */
  report(report: object): Promise<void>;
};

/** Links a worker with the api process that asked for a run. */
export function linkRun(
  { apiUrl, runId }: Pick<RunJob, 'apiUrl' | 'runId'>,
  secret: Buffer,
): RunLink {
  const headers = { Authorization: `Bearer ${runToken(secret, runId)}` };
  const url = (what: string): URL => new URL(`/runs/${runId}/${what}`, apiUrl);
  const open = (what: string, options: Omit<RequestOptions, 'headers'>): ClientRequest =>
    request(url(what), { ...options, agent: false, headers });
  return {
    async openInput(signal) {
      const asking = open('input', { signal });
      asking.end();
      const [response] = (await once(asking, 'response', {
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
      })) as [IncomingMessage];
      asking.on('error', () => {});
      if (response.statusCode === 200) return response;
      response.destroy();
      return undefined;
    },
    openOutput: () => {
      const pushing = open('output', { method: 'POST' });
      pushing.flushHeaders();
      pushing.setNoDelay(true);
      return pushing;
    },
    async report(report) {
      const telling = open('report', {
        method: 'POST',
        timeout: ANSWER_MS,
      });
      telling.on('timeout', () => telling.destroy());
      try {
        telling.end(JSON.stringify(report));
        const [response] = (await once(telling, 'response')) as [IncomingMessage];
        response.resume();
      } catch {
        // Gone: nobody is left to tell.
      }
    },
  };
}
