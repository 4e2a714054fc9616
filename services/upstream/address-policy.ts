import { BlockList, isIP } from 'node:net';

export type AddressPolicy = {
  /** Private, loopback and carrier-grade NAT ranges: home providers live there. */
  readonly allowPrivate: boolean;
};

/** Where no source lives, whatever the setting: link-local, metadata services, no host at all. */
const NEVER = listOf([
  '0.0.0.0/8',
  '169.254.0.0/16', // link-local, with the metadata address of most clouds
  '100.100.100.200/32', // Alibaba Cloud metadata, inside the carrier-grade NAT range
  '168.63.129.16/32', // Azure's host agent
  '192.0.0.192/32', // Oracle Cloud metadata
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, with broadcast
  '::/128',
  'fe80::/10', // link-local
  'ff00::/8', // multicast
  'fd00:ec2::/32', // AWS metadata and its neighbours
  'fd20:ce::254/128', // Google Cloud metadata
  'fd00:42::42/128', // Scaleway metadata
]);

const PRIVATE = listOf([
  '10.0.0.0/8',
  '100.64.0.0/10', // carrier-grade NAT, RFC 6598
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '198.18.0.0/15', // benchmarks, RFC 2544
  '::1/128',
  'fc00::/7', // unique local
  'fec0::/10', // site-local, retired
]);

/**
 * Says whether a source at this address may be connected to.
 *
 * An IPv6 address that carries an IPv4 one (mapped, compatible, NAT64, 6to4, Teredo) is judged by
 * what it carries too: a translator would take us there.
 *
 * @param ip - As a resolver gives it: no brackets; a zone (`%eth0`) is allowed. Anything else than
 *   an IP address is forbidden.
 */
export function judgeAddress(ip: string, { allowPrivate }: AddressPolicy): 'allowed' | 'forbidden' {
  const address = ip.split('%', 1)[0] ?? '';
  const family = isIP(address);
  if (family === 0) return 'forbidden';
  const carried = family === 6 ? carriedAddresses(address) : [];
  const isForbidden = [address, ...carried].some(
    (one) => isIn(NEVER, one) || (!allowPrivate && isIn(PRIVATE, one)),
  );
  return isForbidden ? 'forbidden' : 'allowed';
}

function isIn(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = '', bits] = range.split('/');
    list.addSubnet(network, Number(bits), network.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}

type Groups = readonly number[];

/** IPv6 prefixes whose addresses carry IPv4 ones, and at which of the eight groups. */
const CARRIERS: readonly { readonly prefix: Groups; readonly carried: (g: Groups) => string }[] = [
  { prefix: [0, 0, 0, 0, 0, 0xffff], carried: (g) => dotted(g[6], g[7]) }, // mapped, RFC 4291
  { prefix: [0, 0, 0, 0, 0xffff, 0], carried: (g) => dotted(g[6], g[7]) }, // translated, RFC 2765
  { prefix: [0, 0, 0, 0, 0, 0], carried: (g) => dotted(g[6], g[7]) }, // compatible, retired
  { prefix: [0x64, 0xff9b], carried: (g) => dotted(g[6], g[7]) }, // NAT64, RFC 6052
  // Local-use NAT64, RFC 8215, where a network keeps the /48 layout of RFC 6052 §2.2.
  {
    prefix: [0x64, 0xff9b, 1],
    carried: (g) => dotted(g[3], (((g[4] ?? 0) & 0xff) << 8) | ((g[5] ?? 0) >> 8)),
  },
  { prefix: [0x2002], carried: (g) => dotted(g[1], g[2]) }, // 6to4, RFC 3056
  // Teredo, RFC 4380: the client's address is stored inverted.
  { prefix: [0x2001, 0], carried: (g) => dotted(~(g[6] ?? 0) & 0xffff, ~(g[7] ?? 0) & 0xffff) },
];

function carriedAddresses(address: string): string[] {
  const groups = groupsOf(address);
  // `::1` is the loopback address, not a carrier of 0.0.0.1.
  if (groups.join(':') === '0:0:0:0:0:0:0:1') return [];
  return CARRIERS.filter(({ prefix }) => prefix.every((group, at) => groups[at] === group)).map(
    ({ carried }) => carried(groups),
  );
}

const dotted = (high = 0, low = 0): string =>
  [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');

/** The eight 16-bit groups of a valid IPv6 address. */
function groupsOf(address: string): Groups {
  const [head = '', tail] = address.split('::');
  const front = sideOf(head);
  const back = tail === undefined ? [] : sideOf(tail);
  const gap = Array<number>(Math.max(0, 8 - front.length - back.length)).fill(0);
  return [...front, ...gap, ...back];
}

const sideOf = (side: string): number[] =>
  side === ''
    ? []
    : side.split(':').flatMap((part) => (part.includes('.') ? pairOf(part) : [parseInt(part, 16)]));

function pairOf(dottedPart: string): number[] {
  const [a = 0, b = 0, c = 0, d = 0] = dottedPart.split('.').map(Number);
  return [(a << 8) | b, (c << 8) | d];
}
