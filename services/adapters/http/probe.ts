import type { Readable } from 'node:stream';
import type { AppError } from '#kernel/app-error';
import type { ErrorCode } from '#kernel/error-codes';
import { isSourceUrl } from '#upstream';
import { axiosWhenAsked } from './axios-when-asked.ts';
import { failureVia, routeOf, urlVia } from './egress-route.ts';
import type { EgressOptions, Route } from './egress-route.ts';
import { RoutedAgents } from './routed-agents.ts';
import { toUpstreamFailure } from './upstream-failure.ts';

const TIMEOUT_MS = 5_000;

export type ProbeOptions = EgressOptions & {
  /** For the whole attempt, up to the response head; 5,000 when absent. */
  readonly timeoutMs?: number;
};

/** How a probe went, in words of ours only. */
export type Probed = {
  readonly success: boolean;
  readonly message: string;
  readonly statusCode?: number;
};

/** Finds out with axios whether a URL can be reached from here. */
export class AxiosProbe {
  readonly #http: ReturnType<typeof axiosWhenAsked>;
  readonly #agents = new RoutedAgents();
  /** The default one: nothing is asked past it. */
  readonly #route: Route;
  readonly #timeoutMs: number;

  constructor({ timeoutMs = TIMEOUT_MS, ...options }: ProbeOptions) {
    this.#route = routeOf({}, options);
    this.#timeoutMs = timeoutMs;
    this.#http = axiosWhenAsked({
      ...this.#agents.of(this.#route),
      proxy: false,
      maxRedirects: 0,
      responseType: 'stream',
      decompress: false,
      validateStatus: () => true,
    });
  }

  /**
   * Sends one GET; the body is not read. Only status 200 is a success, and a failure is an answer.
   * Rejects only with the signal's reason.
   */
  async test(url: string, signal: AbortSignal): Promise<Probed> {
    if (!isSourceUrl(url)) return failed('This is not an http or https URL.');
    const deadline = AbortSignal.timeout(this.#timeoutMs);
    try {
      const http = await this.#http();
      const answer = await http.get<Readable>(urlVia(this.#route, url), {
        signal: AbortSignal.any([signal, deadline]),
      });
      answer.data.destroy();
      return answered(answer.status);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      return failed(
        deadline.aborted
          ? WORDS.UPSTREAM_TIMEOUT
          : wordsFor(failureVia(this.#route, toUpstreamFailure(error))),
      );
    }
  }

  /** Closes all connections. Idempotent. */
  close(): void {
    this.#agents.close();
  }
}

const failed = (message: string): Probed => ({ success: false, message });

const answered = (statusCode: number): Probed => ({
  success: statusCode === 200,
  message: `The URL answered with status ${statusCode}.`,
  statusCode,
});

const WORDS = {
  EGRESS_FAILED: 'The egress does not work.',
  UPSTREAM_REFUSED: 'The connection was refused.',
  UPSTREAM_DNS: 'The name in the URL could not be resolved.',
  UPSTREAM_TLS: 'The certificate of the URL does not verify.',
  UPSTREAM_TIMEOUT: 'The URL did not answer in time.',
  UPSTREAM_TARGET_FORBIDDEN: 'The address of the URL may not be reached from here.',
  UPSTREAM_PROTOCOL: 'What answered does not speak HTTP.',
} as const satisfies Partial<Record<ErrorCode, string>>;

function wordsFor({ code }: AppError): string {
  const words: Partial<Record<ErrorCode, string>> = WORDS;
  return words[code] ?? 'The connection broke.';
}
