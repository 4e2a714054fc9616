import { describe, expect, it } from 'vitest';
import { toEnvelope, verifyWebhook } from '#events';
import { UpstreamError } from '#kernel/app-error';
import { createDeliver } from '#webhooks';
import type { PostResult, WebhookClient } from '#webhooks';
import { AT_MS, anEndpoint, anEvent } from '../../support/events.ts';
import { TestClock } from '../../support/test-clock.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const never = new AbortController().signal;

class FakeClient implements WebhookClient {
  readonly posts: Parameters<WebhookClient['post']>[0][] = [];
  answer: PostResult | Error = { status: 200 };

  async post(request: Parameters<WebhookClient['post']>[0]): Promise<PostResult> {
    this.posts.push(request);
    if (this.answer instanceof Error) throw this.answer;
    return this.answer;
  }
}

function set() {
  const client = new FakeClient();
  const deliver = createDeliver({ client, version: '1.2.3', clock: new TestClock(AT_MS) });
  const send = async (changes: Parameters<typeof anEndpoint>[1] = {}) => {
    const envelope = toEnvelope(anEvent());
    const attempt = await deliver(anEndpoint('http://app.example/hook', changes), envelope, never);
    const [post] = client.posts;
    if (!post) throw new Error('Nothing was posted.');
    return { attempt, envelope, post };
  };
  return { client, send };
}

describe('delivering', () => {
  it("posts the envelope within the endpoint's timeout", async () => {
    const { send } = set();
    const { attempt, envelope, post } = await send({ timeoutSeconds: 7 });
    expect(attempt).toEqual({ status: 200 });
    expect(post).toMatchObject({ url: 'http://app.example/hook', timeoutMs: 7_000 });
    expect(JSON.parse(post.body)).toEqual(envelope);
  });

  it('names the event in its headers, signed or not', async () => {
    const { post, envelope } = await set().send();
    expect(post.headers).toEqual({
      'Content-Type': 'application/json',
      'User-Agent': 'Penstock-Webhook/1.2.3',
      'webhook-id': envelope.event_id,
      'webhook-timestamp': String(Math.floor(AT_MS / 1000)),
    });
  });

  it('signs what it sends when the endpoint has a secret', async () => {
    const { post } = await set().send({ secret: SECRET });
    const timestamp = Number(post.headers['webhook-timestamp']);
    const message = { id: post.headers['webhook-id'] ?? '', timestamp, body: post.body };
    const header = post.headers['webhook-signature'] ?? '';
    expect(verifyWebhook(SECRET, message, { header, nowSeconds: timestamp })).toBe(true);
  });

  it("lets the endpoint's headers override ours, whatever their case", async () => {
    const headers = { 'user-agent': 'mine', 'CONTENT-TYPE': 'application/x-mine', 'X-Token': 't' };
    const { post } = await set().send({ headers });
    expect(post.headers).toMatchObject(headers);
    expect(post.headers).not.toHaveProperty('User-Agent');
    expect(post.headers).not.toHaveProperty('Content-Type');
  });

  it.each(['Webhook-Id', 'webhook-timestamp', 'WEBHOOK-SIGNATURE', 'Content-Length', 'host'])(
    'lets no header of the endpoint be %s',
    async (name) => {
      const { post } = await set().send({ headers: { [name]: 'forged' }, secret: SECRET });
      expect(Object.values(post.headers)).not.toContain('forged');
    },
  );

  it('gives the code of an endpoint that does not answer', async () => {
    const { client, send } = set();
    client.answer = new UpstreamError('UPSTREAM_REFUSED', { message: 'refused' });
    expect((await send()).attempt).toEqual({ status: null, error: 'UPSTREAM_REFUSED' });
  });

  it('does not take a bug of ours for a failure of the endpoint', async () => {
    const { client, send } = set();
    client.answer = new TypeError('bug');
    await expect(send()).rejects.toThrow('bug');
  });
});
