import type { EndpointId } from '#kernel/ids';
import type { Endpoint } from './endpoint.ts';

/** Durable endpoints. Every method throws DependencyError `STORE_UNAVAILABLE` when Redis is away. */
export interface EndpointStore {
  /** Oldest first. */
  list(): Promise<readonly Endpoint[]>;
  /** Replaces the endpoint with the same id. */
  save(endpoint: Endpoint): Promise<void>;
  /** False when there was none. */
  remove(id: EndpointId): Promise<boolean>;
}

/** One finished HTTP attempt at an endpoint. */
export type PostResult = { readonly status: number };

/** Posts one delivery. Redirects are not followed. */
export interface WebhookClient {
  /** @throws UpstreamError when there was no answer within `timeoutMs`. */
  post(request: {
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  }): Promise<PostResult>;
}
