import Joi from 'joi';
import { check } from './check.ts';

const probeBody = Joi.object<{ url: string }>({
  url: Joi.string()
    .allow('')
    .max(8192)
    .required()
    .messages({ 'any.required': 'is required', 'string.base': 'must be a string' }),
})
  .unknown(true)
  .required()
  .messages({ 'object.base': 'must be a JSON object', 'any.required': 'is required' });

/** The URL to try, without trailing slashes. It may be none. @throws ValidationError */
export const probedUrl = (body: unknown): string =>
  withoutTrailingSlashes(check(probeBody, body, 'body').url);

function withoutTrailingSlashes(text: string): string {
  let end = text.length;
  while (text[end - 1] === '/') end -= 1;
  return text.slice(0, end);
}
