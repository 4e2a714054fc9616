import { accountOf, hostLimitOf } from '#upstream';
import type { ProviderLimit } from '#upstream';
import type { StreamDefinition } from './definition.ts';

/**
 * How many connections the account of a source takes at once: as its stream says of the account of its
 * own URL, else as the operator says of the host.
 */
export function limitFor(
  url: string,
  definition: Pick<StreamDefinition, 'url' | 'maxConnections'>,
  hostLimits: ReadonlyMap<string, number> = new Map(),
): ProviderLimit | undefined {
  const account = accountOf(url);
  const { maxConnections = null } = definition;
  const isOwn = maxConnections !== null && account === accountOf(definition.url);
  return isOwn ? { account, maxOpen: maxConnections } : hostLimitOf(url, hostLimits);
}
