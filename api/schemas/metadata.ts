import Joi from 'joi';

const MAX_TEXT = 4096;

/**
 * One metadata value as the text that it is kept and compared as. Booleans are spelt as Python
 * spells them, since filters of existing apps ask for `True`. Numbers have no sign of how they
 * were written once JSON is parsed: `1.0` is `1` and `1e3` is `1000`. Integers that a double
 * cannot hold exactly are refused rather than altered.
 */
export function metadataText(value: unknown): string | undefined {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return value.length <= MAX_TEXT ? value : undefined;
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : String(value);
}

const value = Joi.any().custom(
  (given: unknown, { error }) => metadataText(given) ?? error('metadata'),
);

export const MAX_METADATA = 100;

/** An app's facts about its stream; every value comes out as a string. */
export const metadataMap = Joi.object().pattern(Joi.string().max(256), value);
