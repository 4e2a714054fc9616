import { describe, expect, it } from 'vitest';
import { isWebhookSecret, signWebhook, verifyWebhook } from '#events';

/** The example that the Standard Webhooks libraries test themselves with. */
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const MESSAGE = {
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: 1_614_265_330,
  body: '{"test": 2432232314}',
};
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
const AT = { header: SIGNATURE, nowSeconds: MESSAGE.timestamp };

describe('a webhook signature', () => {
  it('is the one of the published example', () => {
    expect(signWebhook(SECRET, MESSAGE)).toBe(SIGNATURE);
  });

  it('verifies', () => {
    expect(verifyWebhook(SECRET, MESSAGE, AT)).toBe(true);
  });

  it('verifies beside signatures of other keys and versions', () => {
    const header = `v1,AAAA v1a,xyz ${SIGNATURE}`;
    expect(verifyWebhook(SECRET, MESSAGE, { ...AT, header })).toBe(true);
  });

  it.each([
    ['another body', { ...MESSAGE, body: '{"test": 2432232315}' }],
    ['another id', { ...MESSAGE, id: 'msg_other' }],
    ['another time', { ...MESSAGE, timestamp: MESSAGE.timestamp + 1 }],
  ])('does not verify for %s', (_, message) => {
    expect(verifyWebhook(SECRET, message, AT)).toBe(false);
  });

  it.each([
    ['another secret', { secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx', ...AT }],
    ['no signature', { secret: SECRET, ...AT, header: '' }],
    ['a message that is too old', { secret: SECRET, ...AT, nowSeconds: AT.nowSeconds + 301 }],
    ['a message from the future', { secret: SECRET, ...AT, nowSeconds: AT.nowSeconds - 301 }],
  ])('does not verify with %s', (_, { secret, ...at }) => {
    expect(verifyWebhook(secret, MESSAGE, at)).toBe(false);
  });
});

const ofBytes = (count: number): string => `whsec_${Buffer.alloc(count, 7).toString('base64')}`;

describe('a webhook secret', () => {
  it.each([SECRET, ofBytes(24), ofBytes(64)])('may be %s', (secret) => {
    expect(isWebhookSecret(secret)).toBe(true);
  });

  it.each(['', 'whsec_', 'secret', ofBytes(23), ofBytes(65), 'whsec_not base64!', SECRET.slice(6)])(
    'may not be %s',
    (secret) => {
      expect(isWebhookSecret(secret)).toBe(false);
    },
  );
});
