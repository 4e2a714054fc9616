import type { EventType } from '#events';
import type { EndpointId } from '#kernel/ids';

/** Where events go. One per URL. */
export type Endpoint = {
  readonly v: 1;
  readonly id: EndpointId;
  /** Normalised by the URL parser: `http://host` is `http://host/`; the query is kept. */
  readonly url: string;
  readonly events: readonly EventType[];
  /** Sent with each delivery; may hold credentials. */
  readonly headers: Readonly<Record<string, string>>;
  /** Per attempt. */
  readonly timeoutSeconds: number;
  /** Attempts after the first. */
  readonly retryAttempts: number;
  /** Standard Webhooks secret (`whsec_…`), when deliveries are to be signed. */
  readonly secret: string | null;
  readonly createdAtMs: number;
};
