import type { Request } from 'express';
import Joi from 'joi';
import { EVENT_TYPES } from '#events';
import type { EventType } from '#events';
import type { EndpointInput } from '#webhooks';
import { queryText } from '#api/http/query';
import { check } from './check.ts';
import { listOf, url } from './fields.ts';
import { headerMap, sortHeaders } from './headers.ts';

type WebhookBody = {
  readonly url: string;
  readonly events: readonly EventType[] | null;
  readonly headers: Readonly<Record<string, string | null>> | null;
  readonly timeout: number;
  readonly retry_attempts: number;
  readonly secret: string | null;
};

/** Standard Webhooks: `whsec_` and 24 to 64 bytes in Base64. */
const SECRET = /^whsec_(?:[A-Za-z0-9+/]{4}){8,22}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const eventType = Joi.valid(...EVENT_TYPES).messages({
  'any.only': `must be one of ${EVENT_TYPES.join(', ')}`,
});

const seconds = Joi.number()
  .integer()
  .min(1)
  .max(60)
  .messages({ 'number.base': 'must be a whole number' });

const attempts = Joi.number()
  .integer()
  .min(0)
  .max(20)
  .messages({ 'number.base': 'must be a whole number' });

const webhookBody = Joi.object<WebhookBody>({
  url: url.required(),
  events: listOf(eventType, 100).allow(null).default(null),
  headers: headerMap.allow(null),
  timeout: seconds.default(10),
  retry_attempts: attempts.default(3),
  secret: Joi.string()
    .pattern(SECRET)
    .allow(null)
    .default(null)
    .messages({ 'string.pattern.base': 'must be whsec_ and 24 to 64 bytes in Base64' }),
})
  .unknown(true)
  .required()
  .messages({ 'object.base': 'must be a JSON object', 'any.required': 'is required' });

export type PostedWebhook = {
  readonly input: EndpointInput;
  readonly ignoredHeaders: readonly string[];
};

/** @throws ValidationError naming every field at fault. */
export function postedWebhook(body: unknown): PostedWebhook {
  const posted = check(webhookBody, body, 'body');
  const headers = sortHeaders(posted.headers ?? {});
  const input = {
    url: posted.url,
    events: [...new Set(posted.events ?? EVENT_TYPES)],
    headers: headers.kept,
    timeoutSeconds: posted.timeout,
    retryAttempts: posted.retry_attempts,
    secret: posted.secret,
  };
  return { input, ignoredHeaders: headers.ignored };
}

const webhookUrl = Joi.object<{ webhook_url: string }>({
  webhook_url: Joi.string().required().messages({
    'any.required': 'is required, in the query or in a JSON body',
    'string.base': 'must be a string',
    'string.empty': 'must not be empty',
  }),
})
  .unknown(true)
  .required()
  .messages({ 'object.base': 'must be a JSON object' });

/**
 * The endpoint that a request names, in its query or else in its body.
 *
 * @throws ValidationError when neither names one.
 */
export function webhookUrlOf(req: Request): string {
  const inQuery = queryText(req, 'webhook_url');
  const named = inQuery === undefined ? ((req.body ?? {}) as unknown) : { webhook_url: inQuery };
  return check(webhookUrl, named, inQuery === undefined ? 'body' : 'query').webhook_url;
}
