import Joi from 'joi';
import { isSourceUrl } from '#upstream';

/** An http or https URL, as posted: never rewritten, since ids are derived from it. */
export const url = Joi.string()
  .custom((text: string, { error }) => (isSourceUrl(text) ? text : error('url')))
  .messages({
    url: 'must be an http or https URL without blanks, of at most 8192 characters',
    'string.empty': 'must not be empty',
    'string.base': 'must be a string',
  });

const TRUE_WORDS = ['1', 'on', 'yes', 'y', 't'];
const FALSE_WORDS = ['0', 'off', 'no', 'n', 'f'];

/** A boolean, also in words: `1 true on yes y t` and `0 false off no n f`, in any letter case. */
export const flag = Joi.boolean()
  .truthy(1, ...TRUE_WORDS)
  .falsy(0, ...FALSE_WORDS)
  .messages({ 'boolean.base': 'must be a boolean' });

/**
 * An array of at most `max` items. A longer one is refused as a whole, before its items are
 * looked at.
 */
export const listOf = (item: Joi.Schema, max: number): Joi.Schema =>
  Joi.alternatives().conditional(Joi.array().strict().max(max), {
    // oxlint-disable-next-line unicorn/no-thenable -- Joi's word for it.
    then: Joi.array().strict().items(item),
    otherwise: Joi.array()
      .strict()
      .max(max)
      .messages({
        'array.base': 'must be an array',
        'array.max': `must have at most ${max} items`,
      }),
  });

export type MapRule = {
  readonly key: Joi.Schema;
  readonly value: Joi.Schema;
  readonly max: number;
};

/**
 * A map of at most `max` entries; a larger one is refused as a whole. PHP writes an empty map as
 * `[]`, so that is one.
 */
export const mapOf = ({ key, value, max }: MapRule): Joi.Schema =>
  Joi.alternatives()
    .conditional(Joi.object().strict().max(max), {
      // oxlint-disable-next-line unicorn/no-thenable -- Joi's word for it.
      then: Joi.object().strict().pattern(key, value).messages({ 'object.unknown': BAD_KEY }),
      otherwise: Joi.object()
        .strict()
        .max(max)
        .messages({
          'object.base': 'must be an object',
          'object.max': `must have at most ${max} entries`,
        }),
    })
    .empty(Joi.array().length(0))
    .default({});

const BAD_KEY = 'is not allowed as a name here';
