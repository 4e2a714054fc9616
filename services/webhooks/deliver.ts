import { signWebhook } from '#events';
import type { SignedMessage, WebhookEnvelope } from '#events';
import { AppError } from '#kernel/app-error';
import type { ErrorCode } from '#kernel/error-codes';
import type { Clock } from '#kernel/clock';
import type { Endpoint } from './endpoint.ts';
import type { WebhookClient } from './ports.ts';

export type DelivererOptions = {
  readonly client: WebhookClient;
  /** As in `Penstock-Webhook/1.2.3`. */
  readonly version: string;
  readonly clock: Clock;
};

/** How one attempt ended: with an answer, or without. */
export type Attempt =
  { readonly status: number } | { readonly status: null; readonly error: ErrorCode };

/** Makes one attempt to bring one event to one endpoint. */
export type Deliver = (
  endpoint: Endpoint,
  envelope: WebhookEnvelope,
  signal: AbortSignal,
) => Promise<Attempt>;

/** What an endpoint's own headers must not replace. */
const OURS = new Set([
  'content-length',
  'host',
  'transfer-encoding',
  'connection',
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature',
]);

/**
 * The one way that an event leaves: signed, with the endpoint's headers, within its timeout.
 *
 * What it returns never rejects because of the endpoint; it rejects with the signal's reason when
 * the signal aborts.
 */
export function createDeliver({ client, version, clock }: DelivererOptions): Deliver {
  return async (endpoint, envelope, signal) => {
    const body = JSON.stringify(envelope);
    const timestamp = Math.floor(clock.nowMs() / 1000);
    const headers = headersOf(endpoint, { id: envelope.event_id, timestamp, body }, version);
    const { url, timeoutSeconds } = endpoint;
    try {
      return await client.post({ url, headers, body, timeoutMs: timeoutSeconds * 1000, signal });
    } catch (error) {
      if (signal.aborted || !(error instanceof AppError)) throw error;
      return { status: null, error: error.code };
    }
  };
}

/** Whether the endpoint has taken the event: m3u-proxy's receivers may answer with a redirect. */
export const isDelivered = ({ status }: Attempt): boolean =>
  status !== null && status >= 200 && status < 400;

function headersOf(
  endpoint: Endpoint,
  message: SignedMessage,
  version: string,
): Record<string, string> {
  const own = Object.entries(endpoint.headers).filter(([name]) => !OURS.has(name.toLowerCase()));
  const ownNames = new Set(own.map(([name]) => name.toLowerCase()));
  const general = Object.entries({
    'Content-Type': 'application/json',
    'User-Agent': `Penstock-Webhook/${version}`,
  }).filter(([name]) => !ownNames.has(name.toLowerCase()));
  return {
    ...Object.fromEntries([...general, ...own]),
    'webhook-id': message.id,
    'webhook-timestamp': String(message.timestamp),
    ...(endpoint.secret === null
      ? {}
      : { 'webhook-signature': signWebhook(endpoint.secret, message) }),
  };
}
