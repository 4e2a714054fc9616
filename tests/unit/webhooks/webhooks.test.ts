import { describe, expect, it } from 'vitest';
import type { WebhookEnvelope } from '#events';
import type { EndpointId } from '#kernel/ids';
import { Webhooks } from '#webhooks';
import type { Attempt, Endpoint, EndpointInput, EndpointStore } from '#webhooks';
import { TestClock } from '../../support/test-clock.ts';

class FakeEndpoints implements EndpointStore {
  readonly #byId = new Map<EndpointId, Endpoint>();

  async list(): Promise<readonly Endpoint[]> {
    return [...this.#byId.values()];
  }

  async find(id: EndpointId): Promise<Endpoint | undefined> {
    return this.#byId.get(id);
  }

  async save(endpoint: Endpoint): Promise<void> {
    this.#byId.set(endpoint.id, endpoint);
  }

  async remove(id: EndpointId): Promise<boolean> {
    return this.#byId.delete(id);
  }
}

const INPUT: EndpointInput = {
  url: 'http://app.example',
  events: ['stream_started'],
  headers: {},
  timeoutSeconds: 10,
  retryAttempts: 3,
  secret: null,
};

function set() {
  const clock = new TestClock();
  const sent: { readonly endpoint: Endpoint; readonly envelope: WebhookEnvelope }[] = [];
  let attempt: Attempt = { status: 200 };
  const webhooks = new Webhooks({
    endpoints: new FakeEndpoints(),
    deliver: async (endpoint, envelope) => {
      sent.push({ endpoint, envelope });
      return attempt;
    },
    clock,
  });
  return { webhooks, clock, sent, answer: (next: Attempt) => void (attempt = next) };
}

describe('registering an endpoint', () => {
  it('normalises its URL and keeps its query', async () => {
    const { webhooks } = set();
    expect(await webhooks.register(INPUT)).toMatchObject({ url: 'http://app.example/' });
    const url = 'HTTP://App.example:80/hook?api_token=a%2Fb&x';
    const endpoint = await webhooks.register({ ...INPUT, url });
    expect(endpoint.url).toBe('http://app.example/hook?api_token=a%2Fb&x');
  });

  it('replaces the one with the same URL and keeps its age', async () => {
    const { webhooks, clock } = set();
    const first = await webhooks.register(INPUT);
    await clock.advance(1_000);
    const url = 'http://app.example/';
    const second = await webhooks.register({ ...INPUT, url, retryAttempts: 0 });
    expect(second).toEqual({ ...first, retryAttempts: 0 });
    expect(await webhooks.list()).toEqual([second]);
  });
});

describe('removing an endpoint', () => {
  it.each(['http://app.example', 'http://app.example/', 'HTTP://APP.EXAMPLE:80'])(
    'finds it as %s',
    async (url) => {
      const { webhooks } = set();
      await webhooks.register(INPUT);
      await webhooks.remove(url);
      expect(await webhooks.list()).toEqual([]);
    },
  );

  it.each(['http://other.example/', 'no url', ''])('does not find %o', async (url) => {
    const { webhooks } = set();
    await webhooks.register(INPUT);
    await expect(webhooks.remove(url)).rejects.toMatchObject({ code: 'WEBHOOK_NOT_FOUND' });
  });
});

describe('testing an endpoint', () => {
  it('sends a stream_started of a stream that is none', async () => {
    const { webhooks, sent } = set();
    const endpoint = await webhooks.register({ ...INPUT, events: [] });
    const outcome = await webhooks.sendTest(INPUT.url);
    expect(outcome).toEqual({ eventId: sent[0]?.envelope.event_id, delivered: true, status: 200 });
    expect(sent).toMatchObject([
      {
        endpoint,
        envelope: {
          event_type: 'stream_started',
          stream_id: 'test_stream_123',
          data: { test: true, message: expect.any(String), primary_url: expect.any(String) },
        },
      },
    ]);
  });

  it.each([
    [{ status: 500 }, { delivered: false, status: 500 }],
    [{ status: null, error: 'UPSTREAM_TIMEOUT' } as const, { delivered: false, status: null }],
  ])('tells of a failure as an outcome: %o', async (attempt, outcome) => {
    const { webhooks, answer } = set();
    await webhooks.register(INPUT);
    answer(attempt);
    expect(await webhooks.sendTest(INPUT.url)).toMatchObject(outcome);
  });

  it('needs a registration', async () => {
    await expect(set().webhooks.sendTest('http://other.example/')).rejects.toMatchObject({
      code: 'WEBHOOK_NOT_FOUND',
    });
  });
});
