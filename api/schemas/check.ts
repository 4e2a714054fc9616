import type Joi from 'joi';
import { ValidationError } from '#api/http/validation-error';
import type { FieldProblem } from '#api/http/validation-error';

/**
 * Takes a body or a query through its schema.
 * @throws ValidationError naming every field at fault. It never repeats a value: URLs and headers
 *   have credentials in them.
 */
export function check<T>(schema: Joi.Schema<T>, value: unknown, where: 'body' | 'query'): T {
  const { value: checked, error } = schema.validate(value, OPTIONS);
  if (error) throw new ValidationError(error.details.map((detail) => problem(detail, where)));
  return checked;
}

const OPTIONS: Joi.ValidationOptions = { abortEarly: false, errors: { label: false } };
const MAX_KEY_LENGTH = 128;

const problem = (detail: Joi.ValidationErrorItem, where: string): FieldProblem => ({
  loc: [where, ...detail.path.map(shortened)],
  msg: detail.message,
  type: detail.type === 'any.required' ? 'missing' : 'value_error',
});

/** Keys of maps are the caller's own text. */
const shortened = (key: string | number): string | number =>
  typeof key === 'string' ? key.slice(0, MAX_KEY_LENGTH) : key;
