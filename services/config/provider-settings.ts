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
      'How many requests for HLS each account at a host may have open at once, for streams that do not say (`max_connections`): `panel.example=1,cdn.example:8080=4`. Hosts that are not named have no limit. Standbys of live streams (`LIVE_STANDBY`) keep within it, beside the live connections of this process.',
  },
} as const satisfies Record<string, Setting>;
