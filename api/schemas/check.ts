import type Joi from 'joi';
import { ValidationError } from '#api/http/validation-error';
import type { FieldProblem } from '#api/http/validation-error';
import { tidied } from './collections.ts';
import type { CollectionBounds } from './collections.ts';

/** A body: its fields, and how large their lists and maps may be. */
export type BodySchema<T> = {
  readonly fields: Joi.ObjectSchema<T>;
  readonly bounds: CollectionBounds;
};

/**
 * What all schemas say of values; one table at the root of each, since a table of its own on every
 * field costs more than all the checks.
 */
const MESSAGES = {
  'any.only': 'must be one of {#valids}',
  'any.required': 'is required',
  'any.unknown': 'is not allowed',
  'array.base': 'must be an array',
  'egress.address': 'must have an IP address as local_address',
  'egress.http': 'must have the http or https URL of a proxy as url, without a path',
  'egress.socks': 'must have the socks5 or socks5h URL of a proxy as url, without a path',
  'egress.template':
    'must have an http or https URL as template, with {url}, {url_encoded} or {b64} behind its host',
  flag: 'must be a boolean',
  metadata: 'must be a string of at most 4096 characters, a boolean or a number of at most 2^53',
  number: 'must be a number from {#min} to {#max}',
  'number.whole': 'must be a whole number from {#min} to {#max}',
  'object.base': 'must be a JSON object',
  'object.unknown': 'is not allowed as a name here',
  'string.base': 'must be a string',
  'string.empty': 'must not be empty',
  'string.max': 'must be at most {#limit} characters long',
  'string.pattern.name': 'must be {#name}',
  url: 'must be an http or https URL without blanks, of at most 8192 characters',
};

/** Settles a schema's manner, once: all faults are told, and nothing is converted on the way. */
export const settled = <T>(schema: Joi.ObjectSchema<T>): Joi.ObjectSchema<T> =>
  schema
    .required()
    .prefs({ abortEarly: false, convert: false, errors: { label: false }, messages: MESSAGES });

/**
 * Takes a body through its schema. Fields that the schema does not have stay as they are.
 * @throws ValidationError naming every field at fault. It never repeats a value: URLs and headers
 *   have credentials in them.
 */
export function checkBody<T>({ fields, bounds }: BodySchema<T>, body: unknown): T {
  const tidy = tidied(body, bounds);
  const { value, error } = fields.validate(tidy.body);
  const problems = [...tidy.problems, ...problemsOf(error, 'body')];
  if (value !== undefined && problems.length === 0) return value;
  throw new ValidationError(problems);
}

/** The same for a query. @throws ValidationError */
export function checkQuery<T>(
  schema: Joi.ObjectSchema<T>,
  query: Readonly<Record<string, string>>,
): T {
  const { value, error } = schema.validate(query);
  if (value !== undefined && error === undefined) return value;
  throw new ValidationError(problemsOf(error, 'query'));
}

const problemsOf = (error: Joi.ValidationError | undefined, where: string): FieldProblem[] =>
  error?.details.map(({ path, message, type }) => ({
    loc: [where, ...path.map(shortened)],
    msg: message,
    type: type === 'any.required' ? 'missing' : 'value_error',
  })) ?? [];

const MAX_KEY_LENGTH = 128;

/** Keys of maps are the caller's own text. */
const shortened = (key: string | number): string | number =>
  typeof key === 'string' ? key.slice(0, MAX_KEY_LENGTH) : key;
