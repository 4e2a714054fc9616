import Joi from 'joi';
import type { LinkWish } from '#access';
import { checkBody, settled } from './check.ts';
import type { BodySchema } from './check.ts';
import { numberIn, orNull } from './fields.ts';

type LinkBody = { readonly start_within: number | null; readonly stop_after: number | null };
type KeyBody = { readonly name: string | null; readonly key: string | null };

const A_YEAR = 31_536_000;
const seconds = orNull(numberIn({ min: 1, max: A_YEAR }));
const linkBody: BodySchema<LinkBody> = {
  fields: settled(
    Joi.object<LinkBody>({ start_within: seconds, stop_after: seconds }).unknown(true),
  ),
  bounds: { lists: {}, maps: {} },
};

const keyBody: BodySchema<KeyBody> = {
  fields: settled(
    Joi.object<KeyBody>({
      name: orNull(
        Joi.string().pattern(/^[\x20-\x7e]{1,128}$/, '1 to 128 printable ASCII characters'),
      ),
      key: orNull(
        Joi.string().pattern(
          /^[\w.~-]{12,256}$/,
          '12 to 256 of the characters A-Z a-z 0-9 - . _ ~',
        ),
      ),
    }).unknown(true),
  ),
  bounds: { lists: {}, maps: {} },
};

/** @throws ValidationError naming every field at fault. */
export function postedLink(body: unknown): LinkWish {
  const { start_within: startWithin, stop_after: stopAfter } = checkBody(linkBody, body);
  return { startWithinMs: inMs(startWithin), stopAfterMs: inMs(stopAfter) };
}

/** @throws ValidationError naming every field at fault. */
export function postedKey(body: unknown): { readonly name: string | null; readonly key?: string } {
  const { name, key } = checkBody(keyBody, body);
  return { name, ...(key === null ? {} : { key }) };
}

const inMs = (given: number | null): number | undefined =>
  given === null ? undefined : given * 1000;
