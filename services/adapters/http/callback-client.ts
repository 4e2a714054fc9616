import type { ClientRequest, RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { request as httpRequest } from '#kernel/node-http';
import { CALLBACK_AGENT, callbackBody } from '#networks';
import type { Callback, CallbackOutcome } from '#networks';
import { guardedLookup, judgeHost } from './guarded-lookup.ts';
import type { GuardOptions } from './guarded-lookup.ts';

export type CallbackClientOptions = {
  readonly guard: GuardOptions;
  /** For the whole of an attempt; the receiver may be busy for long, and need not be waited for. */
  readonly timeoutMs: number;
};

/**
 * Tells a receiver, over a connection of its own: on one that was kept, nobody knows whether a
 * reset came before or after the receiver has read. Never rejects.
 */
export const createCallbackClient =
  ({ guard, timeoutMs }: CallbackClientOptions) =>
  (callback: Callback, signal: AbortSignal): Promise<CallbackOutcome> =>
    new Promise((resolve) => {
      const url = new URL(callback.url);
      const body = Buffer.from(JSON.stringify(callbackBody(callback)));
      if (judgeHost(url.hostname, guard) !== undefined) return resolve({ kind: 'unreached' });
      let isConnected = false;
      const lost = (): void => resolve({ kind: isConnected ? 'unknown' : 'unreached' });
      const asking = open(
        url,
        {
          method: 'POST',
          agent: false,
          lookup: guardedLookup(guard),
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
          headers: {
            'Content-Type': 'application/json',
            'Content-Length': body.length,
            'User-Agent': CALLBACK_AGENT,
            Accept: '*/*',
          },
        },
        guard,
      );
      asking.on('error', lost);
      asking.once('socket', (socket) => {
        const event = url.protocol === 'https:' ? 'secureConnect' : 'connect';
        socket.once(event, () => {
          isConnected = true;
        });
      });
      asking.once('response', (response) => {
        response.on('error', () => {});
        response.resume();
        resolve({ kind: 'answered', status: response.statusCode ?? 0 });
      });
      asking.end(body);
    });

function open(url: URL, options: RequestOptions, { verifyTls }: GuardOptions): ClientRequest {
  if (url.protocol !== 'https:') return httpRequest(url, options);
  return httpsRequest(url, { ...options, rejectUnauthorized: verifyTls });
}
