import { redactUrl } from '#kernel/redact-url';
import type { Egress } from '#upstream';

/** The way of a stream, without what opens it: proxies have credentials, templates may have. */
export function presentEgress(egress: Egress | null | undefined) {
  if (!egress) return null;
  return {
    kind: egress.kind,
    ...('url' in egress ? { url: redactUrl(egress.url), resolve: egress.resolve } : {}),
    ...('template' in egress ? { template: redactUrl(egress.template) } : {}),
    local_address: egress.localAddress ?? null,
  };
}
