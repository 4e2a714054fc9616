import Joi from 'joi';
import { isSourceUrl } from '#upstream';

/** An http or https URL, as posted: never rewritten, since ids are derived from it. */
export const url = Joi.string().custom((text: string, { error }) =>
  isSourceUrl(text) ? text : error('url'),
);

const FLAGS = new Map<unknown, boolean>([
  ...[true, 1, '1', 'true', 'on', 'yes', 'y', 't'].map((word) => [word, true] as const),
  ...[false, 0, '0', 'false', 'off', 'no', 'n', 'f'].map((word) => [word, false] as const),
]);

/** A boolean, also in words: `1 true on yes y t` and `0 false off no n f`, in any letter case. */
export const flag = Joi.any().custom(
  (given: unknown, { error }) =>
    FLAGS.get(typeof given === 'string' ? given.toLowerCase() : given) ?? error('flag'),
);

export type NumberRange = {
  readonly min: number;
  readonly max: number;
  readonly whole?: boolean;
};

/** A number within bounds, also in digits: settings come out of forms as text. */
export const numberIn = (range: NumberRange): Joi.Schema =>
  Joi.any().custom((given: unknown, { error }) => {
    const number = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
    if (isWithin(number, range)) return number;
    return error(range.whole === true ? 'number.whole' : 'number', { ...range });
  });

const isWithin = (value: unknown, { min, max, whole = false }: NumberRange): boolean =>
  typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value));

/** A field that may be left out, or be `null`, which is the same. */
export const orNull = (schema: Joi.Schema): Joi.Schema => schema.allow(null).default(null);

/** Where a cookies file is. */
export const cookiesPath = Joi.string()
  .allow('')
  .pattern(/^\/[^\p{Cc}]{0,1023}$/u, 'an absolute path of one line');
