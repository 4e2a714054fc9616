import Joi from 'joi';
import { checkBody, settled } from './check.ts';
import type { BodySchema } from './check.ts';

const probeBody: BodySchema<{ url: string }> = {
  fields: settled(
    Joi.object<{ url: string }>({ url: Joi.string().allow('').max(8192).required() }).unknown(true),
  ),
  bounds: { lists: {}, maps: {} },
};

/** The URL to try, without trailing slashes. It may be none. @throws ValidationError */
export const probedUrl = (body: unknown): string =>
  withoutTrailingSlashes(checkBody(probeBody, body).url);

function withoutTrailingSlashes(text: string): string {
  let end = text.length;
  while (text[end - 1] === '/') end -= 1;
  return text.slice(0, end);
}
