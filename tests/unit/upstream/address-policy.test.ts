import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeAddress } from '#upstream';

const open = { allowPrivate: true };
const closed = { allowPrivate: false };

describe('address policy', () => {
  it.each([
    ['0.0.0.0', 'no host'],
    ['0.1.2.3', 'no host'],
    ['169.254.0.1', 'link-local'],
    ['169.254.169.254', 'cloud metadata'],
    ['169.254.170.2', 'container metadata'],
    ['100.100.100.200', 'cloud metadata in the carrier-grade range'],
    ['168.63.129.16', 'host agent'],
    ['192.0.0.192', 'cloud metadata'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.250', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'broadcast'],
    ['::', 'no host'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local with a zone'],
    ['febf:ffff::1', 'the last of link-local'],
    ['ff02::1', 'multicast'],
    ['fd00:ec2::254', 'cloud metadata'],
    ['fd20:ce::254', 'cloud metadata'],
    ['::ffff:169.254.169.254', 'mapped'],
    ['::ffff:a9fe:a9fe', 'mapped, in hex'],
    ['0:0:0:0:0:ffff:a9fe:a9fe', 'mapped, in full'],
    ['::ffff:0:169.254.169.254', 'translated'],
    ['::169.254.169.254', 'compatible'],
    ['::5', 'compatible form of no host'],
    ['64:ff9b::169.254.169.254', 'NAT64'],
    ['64:ff9b:1::169.254.169.254', 'local NAT64, address last'],
    ['64:ff9b:1:a9fe:a9:fe00::', 'local NAT64, address after the prefix'],
    ['2002:a9fe:a9fe::1', '6to4'],
    ['2001:0:1234:5678:0:0:5601:5601', 'Teredo'],
    ['', 'nothing'],
    ['example.com', 'a name'],
    ['[::1]', 'brackets'],
    ['127.1', 'a short form that the URL parser has not seen'],
  ])('forbids %s (%s) whatever the setting', (ip) => {
    expect(judgeAddress(ip, open)).toBe('forbidden');
    expect(judgeAddress(ip, closed)).toBe('forbidden');
  });

  it.each([
    '10.0.0.1',
    '100.64.0.1',
    '100.127.255.254',
    '127.0.0.1',
    '127.255.0.9',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.20',
    '198.18.0.1',
    '::1',
    'fc00::1',
    'fd12:3456:789a::1',
    'fec0::1',
    '::ffff:127.0.0.1',
    '::ffff:c0a8:101',
    '64:ff9b::10.0.0.1',
    '2002:c0a8:0101::1',
    '2001:0:1234:5678:0:0:f5ff:fffe',
  ])('leaves the private address %s to the setting', (ip) => {
    expect(judgeAddress(ip, open)).toBe('allowed');
    expect(judgeAddress(ip, closed)).toBe('forbidden');
  });

  it.each([
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.1',
    '100.63.255.255',
    '100.128.0.1',
    '128.0.0.1',
    '169.253.255.255',
    '169.255.0.1',
    '172.15.255.255',
    '172.32.0.1',
    '192.167.255.255',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2001:4860:4860::8888',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '2002:0808:0808::1',
  ])('allows the public address %s', (ip) => {
    expect(judgeAddress(ip, open)).toBe('allowed');
    expect(judgeAddress(ip, closed)).toBe('allowed');
  });

  it.each([
    'http://2852039166/',
    'http://0xa9fea9fe/',
    'http://0251.0376.0251.0376/',
    'http://0xa9.0xfe.0xa9.0xfe/',
    'http://169.254.43518/',
    'http://169.16689662/',
    'http://169.254.169.254./',
    'http://169。254。169。254/',
    'http://[::ffff:169.254.169.254]/',
    'http://[0:0:0:0:0:FFFF:A9FE:A9FE]/',
  ])('knows the metadata address once the URL parser has read %s', (url) => {
    const host = new URL(url).hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
    expect(judgeAddress(host, open)).toBe('forbidden');
  });

  it('judges a mapped address as the address that it carries', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.boolean(), (ip, allowPrivate) => {
        const verdict = judgeAddress(ip, { allowPrivate });
        expect(judgeAddress(`::ffff:${ip}`, { allowPrivate })).toBe(verdict);
        expect(judgeAddress(`64:ff9b::${ip}`, { allowPrivate })).toBe(verdict);
      }),
    );
  });

  it('allows with private ranges closed only what it allows with them open', () => {
    expect(() =>
      fc.assert(
        fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (ip) =>
          judgeAddress(ip, closed) === 'allowed' ? judgeAddress(ip, open) === 'allowed' : true,
        ),
      ),
    ).not.toThrow();
  });

  it('has a verdict for any text', () => {
    expect(() =>
      fc.assert(
        fc.property(fc.string(), (text) =>
          ['allowed', 'forbidden'].includes(judgeAddress(text, closed)),
        ),
      ),
    ).not.toThrow();
  });
});
