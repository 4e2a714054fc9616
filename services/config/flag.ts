import Joi from 'joi';

/** A switch, in all the words that people and m3u-proxy use for on and off. */
export const flag = (fallback: boolean): Joi.Schema =>
  Joi.boolean()
    .truthy('1', 'on', 'yes', 'y', 't')
    .falsy('0', 'off', 'no', 'n', 'f')
    .default(fallback);
