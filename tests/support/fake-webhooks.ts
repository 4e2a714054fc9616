import { NotFoundError } from '#kernel/app-error';
import { asEventId, endpointIdOf } from '#kernel/ids';
import type { Endpoint, EndpointInput, TestOutcome } from '#webhooks';
import type { WebhookRegistry } from '#api/deps';

/** The webhook port over a map. */
export class FakeWebhooks implements WebhookRegistry {
  /** How test deliveries end. */
  outcome: Omit<TestOutcome, 'eventId'> = { delivered: true, status: 200 };
  readonly #endpoints = new Map<string, Endpoint>();

  async register(input: EndpointInput): Promise<Endpoint> {
    const createdAtMs = 1_700_000_000_000;
    const url = new URL(input.url).href;
    const endpoint: Endpoint = { ...input, v: 1, id: endpointIdOf(url), url, createdAtMs };
    this.#endpoints.set(url, endpoint);
    return endpoint;
  }

  async list(): Promise<readonly Endpoint[]> {
    return [...this.#endpoints.values()];
  }

  async remove(url: string): Promise<void> {
    if (!this.#endpoints.delete(normalised(url))) throw unknown();
  }

  async sendTest(url: string): Promise<TestOutcome> {
    if (!this.#endpoints.has(normalised(url))) throw unknown();
    return { eventId: asEventId('0b7c2f3e-2f0c-4f5e-9d53-7f1f3b0c9a11'), ...this.outcome };
  }
}

const unknown = (): NotFoundError =>
  new NotFoundError('WEBHOOK_NOT_FOUND', { message: 'No endpoint has this URL.' });

const normalised = (url: string): string => (URL.canParse(url) ? new URL(url).href : url);
