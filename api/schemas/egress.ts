import Joi from 'joi';
import { defaultResolve, isLocalAddress, isProxyUrl, isTemplate } from '#upstream';
import type { Egress, ProxyEgress } from '#upstream';

/** An egress as an app posts it. */
export type EgressBody = {
  readonly kind: Egress['kind'];
  readonly url?: string | null;
  readonly template?: string | null;
  readonly resolve?: ProxyEgress['resolve'] | null;
  readonly local_address?: string | null;
};

const localAddress = Joi.string()
  .allow(null)
  .custom((text: string, { error }) => (isLocalAddress(text) ? text : error('egress.address')));

/** What a kind has to have is required of it, and nothing else is looked at. */
const needed = (kind: Egress['kind'], is: (text: string) => boolean, word: string): Joi.Schema =>
  Joi.when('kind', {
    is: kind,
    then: Joi.string()
      .required()
      .custom((text: string, { error }) => (is(text) ? text : error(word))),
  });

const isConnectUrl = (text: string): boolean => isProxyUrl('http-connect', text);
const isSocksUrl = (text: string): boolean => isProxyUrl('socks5', text);

/** By which way the sources of a stream are reached. */
export const egress = Joi.object<EgressBody>({
  kind: Joi.valid('direct', 'http-connect', 'socks5', 'template').required(),
  url: Joi.any()
    .concat(needed('http-connect', isConnectUrl, 'egress.http') as Joi.AnySchema)
    .concat(needed('socks5', isSocksUrl, 'egress.socks') as Joi.AnySchema),
  template: needed('template', isTemplate, 'egress.template'),
  resolve: Joi.valid('local', 'proxy', null),
  local_address: localAddress,
}).unknown(true);

/** In the words of the program. */
export function egressIn(body: EgressBody | null): Egress | null {
  if (body === null) return null;
  const { kind, url, template, resolve, local_address: address } = body;
  const from = address ? { localAddress: address } : {};
  if (kind === 'direct') return { kind, ...from };
  if (kind === 'template') return { kind, template: template ?? '', ...from };
  return { kind, url: url ?? '', resolve: resolve ?? defaultResolve(url ?? ''), ...from };
}
