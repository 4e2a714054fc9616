import { describe, expect, it } from 'vitest';
import { redisConfig } from '../../../services/supervisor/embedded-redis.ts';
import { isRecent, parseVersion } from '../../../services/supervisor/redis-program.ts';
import { leaveSocket, socketPath, socketUrl } from '../../../services/supervisor/redis-socket.ts';

describe('the program of the embedded Redis', () => {
  it.each([
    ['Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64', '7.0.15'],
    ['Valkey server v=8.0.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64', '8.0.1'],
    ['bash: no such program', undefined],
    ['', undefined],
  ])('tells its version by %j', (text, version) => {
    expect(parseVersion(text)).toBe(version);
  });

  it.each([
    ['6.2.0', true],
    ['6.1.9', false],
    ['5.9.9', false],
    ['7.0.15', true],
    ['10.0.0', true],
  ])('of version %s is recent enough: %s', (version, expected) => {
    expect(isRecent(version)).toBe(expected);
  });
});

describe('the socket of the embedded Redis', () => {
  it('is in its folder where the path fits', () => {
    expect(socketPath('/srv/data/redis')).toBe('/srv/data/redis/redis.sock');
    expect(socketPath(`/${'x'.repeat(95)}`)).toHaveLength(107);
  });

  it('is in a short folder, always the same, where the path would be too long in bytes', () => {
    const folder = `/${'é'.repeat(60)}`;
    const path = socketPath(folder);
    expect(Buffer.byteLength(path)).toBeLessThanOrEqual(107);
    expect(socketPath(folder)).toBe(path);
    expect(socketPath(`${folder}2`)).not.toBe(path);
    leaveSocket(folder);
    leaveSocket(`${folder}2`);
  });

  it('has an address that keeps any letter', () => {
    expect(socketUrl('/srv/my data/é.sock')).toBe('unix:///srv/my%20data/%C3%A9.sock');
  });
});

it('the configuration quotes folders with blanks and quotes', () => {
  const text = redisConfig({ folder: '/my "data"', socket: '/my "data"/s' });
  expect(text).toContain('dir "/my \\"data\\""\n');
  expect(text).toContain('maxmemory-policy noeviction\n');
});
