import { toTimestamp } from '#events';
import type { EventType, WebhookEnvelope } from '#events';
import { NotFoundError } from '#kernel/app-error';
import { endpointIdOf, newEventId } from '#kernel/ids';
import type { EndpointId, EventId } from '#kernel/ids';
import type { Clock } from '#kernel/clock';
import { isDelivered } from './deliver.ts';
import type { Deliver } from './deliver.ts';
import type { Endpoint } from './endpoint.ts';
import type { EndpointStore } from './ports.ts';

export type WebhooksOptions = {
  readonly endpoints: EndpointStore;
  readonly deliver: Deliver;
  readonly clock: Clock;
};

/** An endpoint as an app registers it. */
export type EndpointInput = {
  /** An absolute http or https URL. */
  readonly url: string;
  /** None: nothing is sent to it but tests. */
  readonly events: readonly EventType[];
  readonly headers: Readonly<Record<string, string>>;
  /** Per attempt; at least 1. */
  readonly timeoutSeconds: number;
  /** Attempts after the first; at least 0. */
  readonly retryAttempts: number;
  /** `whsec_…`, or `null` for deliveries without a signature. */
  readonly secret: string | null;
};

/** How a test went. */
export type TestOutcome = {
  readonly eventId: EventId;
  readonly delivered: boolean;
  /** The answer's status; `null` when there was none in time. */
  readonly status: number | null;
};

/** The management side of webhooks. */
export class Webhooks {
  readonly #endpoints: EndpointStore;
  readonly #deliver: Deliver;
  readonly #clock: Clock;

  constructor({ endpoints, deliver, clock }: WebhooksOptions) {
    this.#endpoints = endpoints;
    this.#deliver = deliver;
    this.#clock = clock;
  }

  /**
   * Adds an endpoint, or replaces the one with the same URL: however often an app registers, each
   * event is delivered once. URLs are the same when the URL parser writes them the same.
   *
   * Events that are told after this resolves are delivered to it.
   * @throws DependencyError `STORE_UNAVAILABLE`
   */
  async register(input: EndpointInput): Promise<Endpoint> {
    const url = normalised(input.url) ?? input.url;
    const id = endpointIdOf(url);
    const known = await this.#endpoints.find(id);
    const createdAtMs = known?.createdAtMs ?? this.#clock.nowMs();
    const endpoint: Endpoint = { ...input, v: 1, id, url, createdAtMs };
    await this.#endpoints.save(endpoint);
    return endpoint;
  }

  /**
   * Every endpoint, oldest first.
   * @throws DependencyError `STORE_UNAVAILABLE`
   */
  list(): Promise<readonly Endpoint[]> {
    return this.#endpoints.list();
  }

  /**
   * Removes the endpoint with this URL, as listed or as it was posted. Deliveries that wait for it
   * are dropped.
   * @throws NotFoundError `WEBHOOK_NOT_FOUND`
   * @throws DependencyError `STORE_UNAVAILABLE`
   */
  async remove(url: string): Promise<void> {
    if (!(await this.#endpoints.remove(idOf(url)))) throw notFound();
  }

  /**
   * Posts a signed `stream_started` for the stream `test_stream_123` to the endpoint with this
   * URL: at once, ahead of its queue, one attempt, within the endpoint's timeout. An endpoint that
   * does not answer is an outcome, not an error.
   * @throws NotFoundError `WEBHOOK_NOT_FOUND`
   * @throws DependencyError `STORE_UNAVAILABLE`
   */
  async sendTest(url: string): Promise<TestOutcome> {
    const endpoint = await this.#endpoints.find(idOf(url));
    if (!endpoint) throw notFound();
    const eventId = newEventId();
    const envelope = testEnvelope(eventId, this.#clock.nowMs());
    const attempt = await this.#deliver(endpoint, envelope, new AbortController().signal);
    return { eventId, delivered: isDelivered(attempt), status: attempt.status };
  }
}

const normalised = (url: string): string | undefined =>
  URL.canParse(url) ? new URL(url).href : undefined;

const idOf = (url: string): EndpointId => endpointIdOf(normalised(url) ?? url);

const notFound = (): NotFoundError =>
  new NotFoundError('WEBHOOK_NOT_FOUND', { message: 'Webhook not found' });

const testEnvelope = (eventId: EventId, nowMs: number): WebhookEnvelope => ({
  event_id: eventId,
  event_type: 'stream_started',
  stream_id: 'test_stream_123',
  timestamp: toTimestamp(nowMs),
  data: {
    test: true,
    message: 'This is a test event from Penstock',
    primary_url: 'http://example.com/test.m3u8',
  },
});
