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

const text = Joi.string().allow(null);

/** What each kind has to have, and the word for its lack. */
const FITS: Readonly<Record<Egress['kind'], (body: EgressBody) => string | undefined>> = {
  direct: () => undefined,
  'http-connect': ({ url }) => (isProxyUrl('http-connect', url ?? '') ? undefined : 'egress.http'),
  socks5: ({ url }) => (isProxyUrl('socks5', url ?? '') ? undefined : 'egress.socks'),
  template: ({ template }) => (isTemplate(template ?? '') ? undefined : 'egress.template'),
};

function faultIn(body: EgressBody): string | undefined {
  const { local_address: address } = body;
  if (address && !isLocalAddress(address)) return 'egress.address';
  return FITS[body.kind](body);
}

/** By which way the sources of a stream are reached. */
export const egress = Joi.object<EgressBody>({
  kind: Joi.valid('direct', 'http-connect', 'socks5', 'template').required(),
  url: text,
  template: text,
  resolve: Joi.valid('local', 'proxy', null),
  local_address: text,
})
  .unknown(true)
  .custom((body: EgressBody, { error }) => {
    const fault = faultIn(body);
    return fault === undefined ? body : error(fault);
  });

/** In the words of the program. */
export function egressIn(body: EgressBody | null): Egress | null {
  if (body === null) return null;
  const { kind, url, template, resolve, local_address: address } = body;
  const from = address ? { localAddress: address } : {};
  if (kind === 'direct') return { kind, ...from };
  if (kind === 'template') return { kind, template: template ?? '', ...from };
  return { kind, url: url ?? '', resolve: resolve ?? defaultResolve(url ?? ''), ...from };
}
