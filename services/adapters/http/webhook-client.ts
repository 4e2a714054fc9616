import type { Readable } from 'node:stream';
import { UpstreamError } from '#kernel/app-error';
import type { PostResult, WebhookClient } from '#webhooks';
import { axiosWhenAsked } from './axios-when-asked.ts';
import { Deadline } from './deadline.ts';
import { guardedAgents } from './guarded-lookup.ts';
import type { GuardedAgents, GuardOptions } from './guarded-lookup.ts';
import { toUpstreamFailure } from './upstream-failure.ts';

type Post = Parameters<WebhookClient['post']>[0];

/** What an answer may say before its connection is closed rather than used again. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Posts deliveries with axios, over connections that are kept for the next. */
export class AxiosWebhookClient implements WebhookClient {
  readonly #http: ReturnType<typeof axiosWhenAsked>;
  readonly #guarded: GuardedAgents;

  constructor(guard: GuardOptions) {
    this.#guarded = guardedAgents(guard);
    this.#http = axiosWhenAsked({
      ...this.#guarded.agents,
      proxy: false,
      maxRedirects: 0,
      responseType: 'stream',
      decompress: false,
      validateStatus: () => true,
      transformRequest: (body: string) => body, // Signed as it stands.
    });
  }

  async post({ url, headers, body, timeoutMs, signal }: Post): Promise<PostResult> {
    using deadline = new Deadline(timeoutMs, signal);
    try {
      const http = await this.#http();
      const { status, data } = await http.post<Readable>(url, body, {
        headers: { ...headers },
        signal: deadline.signal,
      });
      await discard(data);
      return { status };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw deadline.isOver ? tooSlow() : toUpstreamFailure(error);
    }
  }

  /** Closes all connections. Idempotent. */
  close(): void {
    this.#guarded.close();
  }
}

/** Reads to the end, so that the connection can be used again; not for ever, though. */
async function discard(answer: Readable): Promise<void> {
  let read = 0;
  for await (const chunk of answer) {
    read += (chunk as Buffer).length;
    if (read > MAX_ANSWER_BYTES) break; // Leaving the loop destroys the body.
  }
}

const tooSlow = (): UpstreamError =>
  new UpstreamError('UPSTREAM_TIMEOUT', { message: 'The endpoint did not answer in time.' });
