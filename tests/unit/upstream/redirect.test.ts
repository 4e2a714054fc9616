import { describe, expect, it } from 'vitest';
import { locationOf, nextHop } from '#adapters/http/raw/redirect';
import { codeOf } from '#kernel/app-error';

const from = (url: string, headers: Record<string, string> = {}) => ({ url, headers });

describe('location of an answer', () => {
  it.each([301, 302, 303, 307, 308])('is followed with status %i', (status) => {
    expect(locationOf({ status, headers: new Map([['location', '/next']]) })).toBe('/next');
  });

  it.each([200, 201, 206, 300, 304, 305, 404])('is not followed with status %i', (status) => {
    expect(locationOf({ status, headers: new Map([['location', '/next']]) })).toBeUndefined();
  });

  it('makes a redirect without one an answer in itself', () => {
    expect(locationOf({ status: 302, headers: new Map() })).toBeUndefined();
    expect(locationOf({ status: 302, headers: new Map([['location', '']]) })).toBeUndefined();
  });
});

describe('next hop', () => {
  it.each([
    ['http://b/x?y#z', 'http://b/x?y#z'],
    ['HTTPS://b/x', 'HTTPS://b/x'],
    ['//b/x', 'http://b/x'],
    ['/x?t=a|b%20c', 'http://a:1/x?t=a|b%20c'],
    ['x/y', 'http://a:1/p/x/y'],
    ['x y', 'http://a:1/p/x y'],
    ['../x', 'http://a:1/x'],
    ['./x', 'http://a:1/p/x'],
    ['.', 'http://a:1/p/'],
    ['?t=2', 'http://a:1/p/q?t=2'],
    ['#z', 'http://a:1/p/q#z'],
    ['/caf\xc3\xa9', 'http://a:1/caf%C3%A9'],
  ])('of %j from http://a:1/p/q?t=1 is %j', (location, url) => {
    expect(nextHop(from('http://a:1/p/q?t=1'), location).url).toBe(url);
  });

  it('resolves against a URL without a path', () => {
    expect(nextHop(from('http://a'), 'x').url).toBe('http://a/x');
    expect(nextHop(from('http://a?t=1'), 'x').url).toBe('http://a/x');
    expect(nextHop(from('http://a'), '?t=2').url).toBe('http://a?t=2');
  });

  it('keeps the user part of the URL for relative locations only', () => {
    expect(nextHop(from('http://u:p@a/x'), '/y').url).toBe('http://u:p@a/y');
    expect(nextHop(from('http://u:p@a/x'), 'http://b/y').url).toBe('http://b/y');
  });

  it.each([
    ['the same origin', 'http://a/y', true],
    ['the same origin, its port spelt out', 'http://a:80/y', true],
    ['a relative location', '/y', true],
    ['another host', 'http://b/y', false],
    ['another port', 'http://a:81/y', false],
    ['another scheme', 'https://a/y', false],
    ['a sub-domain', 'http://x.a/y', false],
  ])('to %s (%s): secrets go along is %s', (_what, location, goAlong) => {
    const secrets = { authorization: 'Basic x', Cookie: 'a=b', 'Proxy-Authorization': 'c' };
    const { headers } = nextHop(from('http://a/x', { ...secrets, 'User-Agent': 'VLC' }), location);
    expect(headers).toEqual({ ...(goAlong ? secrets : {}), 'User-Agent': 'VLC' });
  });

  it.each(['http://', 'http://[', 'http://1.2.3.999/'])('has nowhere to go with %j', (location) => {
    const code = (() => {
      try {
        return nextHop(from('http://a/'), location).url;
      } catch (error) {
        return codeOf(error);
      }
    })();
    expect(code).toBe('UPSTREAM_PROTOCOL');
  });
});
