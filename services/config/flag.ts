import Joi from 'joi';
import type { Setting } from './setting.ts';

/** A switch, in all the words that people and m3u-proxy use for on and off. */
export const flag = (fallback: boolean): Joi.Schema =>
  Joi.boolean()
    .truthy('1', 'on', 'yes', 'y', 't')
    .falsy('0', 'off', 'no', 'n', 'f')
    .default(fallback);

/** Switches of one group: what holds when nothing is said, and what the switch means. */
export const onOffIn =
  (group: string) =>
  (fallback: boolean, meaning: string): Setting => ({ schema: flag(fallback), group, meaning });
