import Joi from 'joi';
import type { Setting } from './setting.ts';

/** What providers allow. */
export const PROVIDER_SETTINGS = {
  PROVIDER_CONNECTIONS: {
    schema: Joi.string()
      .allow('')
      .pattern(/^(?:[^\s=,/@]+=\d{1,4}(?:\s*,\s*|$))+$/, 'host=number, separated by commas')
      .default(''),
    group: 'Upstream',
    meaning:
      'How many connections each account at a host may have open at once, for streams that do not say (`max_connections`): `panel.example=1,cdn.example:8080=4`. Hosts that are not named have no limit. It holds over all viewers, streams and processes, networks included.',
  },
} as const satisfies Record<string, Setting>;
