import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { judgeAddress } from '#upstream';
import type { AddressPolicy } from '#upstream';
import { forbiddenTarget, judgeHost } from './guarded-lookup.ts';

/**
 * Refuses a page that another program is to open for us, by its address and by what its name leads
 * to now. Behind a proxy a name leads where the proxy says, which is not ours to know.
 * @throws InvalidInputError `UPSTREAM_TARGET_FORBIDDEN`.
 */
export async function guardPage(
  url: string,
  policy: AddressPolicy & { readonly isProxied: boolean },
): Promise<void> {
  const { hostname } = new URL(url);
  const refusal = judgeHost(hostname, policy);
  if (refusal !== undefined) throw refusal;
  if (policy.isProxied || isAddress(hostname)) return;
  // A name that leads nowhere is the program's to tell of.
  const found = await lookup(hostname, { all: true }).catch(() => []);
  // It takes whichever it likes of them.
  if (found.some(({ address }) => judgeAddress(address, policy) === 'forbidden')) {
    throw forbiddenTarget();
  }
}

const isAddress = (host: string): boolean => host.startsWith('[') || isIP(host) !== 0;
