import type { Request } from 'express';
import Joi from 'joi';
import { EVENT_TYPES } from '#events';
import type { EventType } from '#events';
import type { EndpointInput } from '#webhooks';
import { queryText } from '#api/http/query';
import { checkBody, checkQuery, settled } from './check.ts';
import type { BodySchema } from './check.ts';
import { numberIn, orNull, url } from './fields.ts';
import { MAX_HEADERS, headerMap, sortHeaders } from './headers.ts';

type WebhookBody = {
  readonly url: string;
  readonly events: readonly (EventType | UnsentType)[] | null;
  readonly headers: Readonly<Record<string, string | null>> | null;
  readonly timeout: number;
  readonly retry_attempts: number;
  readonly secret: string | null;
};

/**
 * Newer versions of m3u-proxy tell of viewers that take nothing for long. Here those are let go, so
 * there is nothing to tell; an app that registers for it is not refused.
 */
const UNSENT_TYPES = ['connection_idle_warning', 'connection_idle_error'] as const;
type UnsentType = (typeof UNSENT_TYPES)[number];

const isSent = (type: EventType | UnsentType): type is EventType =>
  !(UNSENT_TYPES as readonly string[]).includes(type);

/** Standard Webhooks: `whsec_` and 24 to 64 bytes in Base64. */
const SECRET = /^whsec_(?:[A-Za-z0-9+/]{4}){8,22}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const fields = Joi.object<WebhookBody>({
  url: url.required(),
  events: orNull(Joi.array().items(Joi.valid(...EVENT_TYPES, ...UNSENT_TYPES))),
  headers: orNull(headerMap),
  timeout: numberIn({ min: 1, max: 60, whole: true }).default(10),
  retry_attempts: numberIn({ min: 0, max: 20, whole: true }).default(3),
  secret: orNull(Joi.string().pattern(SECRET, 'whsec_ and 24 to 64 bytes in Base64')),
}).unknown(true);

const webhookBody: BodySchema<WebhookBody> = {
  fields: settled(fields),
  bounds: { lists: { events: 100 }, maps: { headers: MAX_HEADERS } },
};

export type PostedWebhook = {
  readonly input: EndpointInput;
  readonly ignoredHeaders: readonly string[];
};

/** @throws ValidationError naming every field at fault. */
export function postedWebhook(body: unknown): PostedWebhook {
  const posted = checkBody(webhookBody, body);
  const headers = sortHeaders(posted.headers ?? {});
  const input = {
    url: posted.url,
    events: [...new Set((posted.events ?? EVENT_TYPES).filter(isSent))],
    headers: headers.kept,
    timeoutSeconds: posted.timeout,
    retryAttempts: posted.retry_attempts,
    secret: posted.secret,
  };
  return { input, ignoredHeaders: headers.ignored };
}

const webhookUrl = settled(
  Joi.object<{ webhook_url: string }>({ webhook_url: Joi.string().required() }).unknown(true),
);

/**
 * The endpoint that a request names, in its query or else in its body.
 *
 * @throws ValidationError when neither names one.
 */
export function webhookUrlOf(req: Request): string {
  const inQuery = queryText(req, 'webhook_url');
  if (inQuery !== undefined) return checkQuery(webhookUrl, { webhook_url: inQuery }).webhook_url;
  const body: unknown = req.body ?? {};
  return checkBody({ fields: webhookUrl, bounds: { lists: {}, maps: {} } }, body).webhook_url;
}
