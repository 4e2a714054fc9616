import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a signature vouches for. */
export type SignedMessage = {
  /** `webhook-id`: the same on every attempt. */
  readonly id: string;
  /** `webhook-timestamp`: seconds since the epoch, of this attempt. */
  readonly timestamp: number;
  /** The body, byte for byte as it is sent. */
  readonly body: string;
};

const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const MIN_KEY_BYTES = 24;
const MAX_KEY_BYTES = 64;

/** Whether a text is a Standard Webhooks secret: `whsec_` and base64 of 24 to 64 bytes. */
export function isWebhookSecret(text: string): boolean {
  const length = keyOf(text)?.length ?? 0;
  return length >= MIN_KEY_BYTES && length <= MAX_KEY_BYTES;
}

/**
 * The `webhook-signature` of a message: `v1,` and base64 of its HMAC-SHA256.
 *
 * @param secret - As {@link isWebhookSecret} accepts.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function signWebhook(secret: string, { id, timestamp, body }: SignedMessage): string {
  const key = keyOf(secret) ?? Buffer.alloc(0);
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}

const TOLERANCE_SECONDS = 300;

/**
 * Whether one of the signatures in a `webhook-signature` header is ours, as a receiver decides it.
 *
 * @param header - Signatures separated by spaces; others than `v1` are passed over.
 * @param nowSeconds - Messages more than five minutes away from it are refused.
 */
export function verifyWebhook(
  secret: string,
  message: SignedMessage,
  { header, nowSeconds }: { readonly header: string; readonly nowSeconds: number },
): boolean {
  if (Math.abs(nowSeconds - message.timestamp) > TOLERANCE_SECONDS) return false;
  const expected = Buffer.from(signWebhook(secret, message));
  return header.split(' ').some((signature) => isSame(Buffer.from(signature), expected));
}

const isSame = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b);

function keyOf(secret: string): Buffer | undefined {
  const base64 = SECRET.exec(secret)?.[1];
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64');
}
