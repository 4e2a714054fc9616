import { isIP } from 'node:net';
import Joi from 'joi';
import type { Setting } from './setting.ts';

/** How sources are reached where a stream does not say. */
export const EGRESS_SETTINGS = {
  EGRESS_URL: {
    schema: Joi.string()
      .allow('')
      .pattern(/^(?:https?|socks5h?):\/\/[\x21-\x7e]{1,2000}$/i, 'proxy or template')
      .default(''),
    group: 'Egress',
    meaning:
      'By what sources of streams that do not say are reached: a proxy (`http://`, `https://`, `socks5://`, `socks5h://`, with `user:password@` where it wants them), or a URL of a next hop with a place for that of the source in it (docs/egress.md); empty goes straight out.',
  },
  EGRESS_LOCAL_ADDRESS: {
    schema: Joi.string()
      .allow('')
      .custom((text: string, { error }) => (isIP(text) === 0 ? error('string.ip') : text))
      .default(''),
    group: 'Egress',
    meaning: 'Address of this machine that connections to sources, or to their proxy, come from.',
  },
} as const satisfies Record<string, Setting>;

export type EgressConfig = {
  /** A proxy or a template; empty: straight out. */
  readonly url: string;
  readonly localAddress: string | undefined;
};

export const egressSettings = (
  values: Readonly<Record<keyof typeof EGRESS_SETTINGS, string>>,
): EgressConfig => ({
  url: values.EGRESS_URL,
  localAddress: values.EGRESS_LOCAL_ADDRESS === '' ? undefined : values.EGRESS_LOCAL_ADDRESS,
});
