import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Config, ConfigError, loadConfig } from '#config';

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('configuration', () => {
  it('is complete, and frozen, without any variable', () => {
    const config = loadConfig({});
    expect(Object.isFrozen(config)).toBe(true);
    expect(config).toMatchObject({
      host: '0.0.0.0',
      port: 8085,
      rootPath: '/m3u-proxy',
      apiToken: undefined,
      dataDir: resolve('data'),
      roles: 'all',
      redis: { url: undefined, prefix: 'penstock' },
      streams: { ttlMs: 86_400_000, sharing: 'per-client' },
    });
  });

  it('has m3u-proxy’s monitors off, in its units, and what else tells a bad source on', () => {
    const { detection } = loadConfig({ MIN_BITRATE_THRESHOLD: '1000', SILENCE_DURATION: '2.5' });
    expect(detection.bitrateFloor).toEqual({
      isOn: false,
      bytesPerSecond: 1000,
      intervalMs: 5000,
      threshold: 3,
      graceMs: 10_000,
    });
    expect(detection.silence).toEqual({
      isOn: false,
      thresholdDb: -50,
      durationMs: 2500,
      intervalMs: 10_000,
      failoverThreshold: 3,
      graceMs: 15_000,
    });
    const { stall, pcr, bitrateDrop, errors, track, scrambling, wrongType, looping } = detection;
    expect(stall).toEqual({ isAdaptive: true, floorMs: 300 });
    const others = [pcr, bitrateDrop, errors, track, scrambling, wrongType, looping];
    expect(others.every(({ isOn }) => isOn)).toBe(true);
  });

  it('switches each detector off by itself', () => {
    const { detection } = loadConfig({ DETECT_LOOPING: 'off', DETECT_STALL: 'no' });
    expect(detection).toMatchObject({ looping: { isOn: false }, stall: { isAdaptive: false } });
    expect(detection.pcr.isOn).toBe(true);
  });

  it('tells every problem at once, by the name of its variable', () => {
    const problems = problemsOf({
      PORT: 'many',
      ROOT_PATH: 'no-slash',
      ROLES: 'boss',
      STREAM_TTL: '-1',
      REDIS_URL: 'http://redis',
      MAX_PLAYLIST_BYTES: '2000.5',
    });
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
      'PORT',
      'ROOT_PATH',
      'ROLES',
      'REDIS_URL',
      'STREAM_TTL',
      'MAX_PLAYLIST_BYTES',
    ]);
  });

  it.each([
    ['REDIS_URL', 'ftp://:s3cret@redis'],
    ['ROOT_PATH', 's3cret'],
    ['REDIS_PREFIX', 's3cret key'],
    ['PORT', 's3cret'],
    ['LOG_LEVEL', 's3cret'],
    ['REDIS_ENABLED', 's3cret'],
  ])('does not repeat the value of a wrong %s', (name, value) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(name);
    expect(problems[0]).not.toContain('s3cret');
  });

  it.each<[string, Record<string, string>, (config: Config) => unknown, unknown]>([
    ['names count in any letter case', { port: '1', Host: 'a' }, (c) => [c.port, c.host], [1, 'a']],
    ['values are trimmed', { HOST: ' a ' }, (c) => c.host, 'a'],
    ['a blank number is the default', { PORT: ' ' }, (c) => c.port, 8085],
    ['a blank token is no token', { API_TOKEN: '' }, (c) => c.apiToken, undefined],
    ['a blank prefix is no prefix', { ROOT_PATH: '' }, (c) => c.rootPath, ''],
    ['a prefix may have parts', { ROOT_PATH: '/a/b.c' }, (c) => c.rootPath, '/a/b.c'],
    ['unknown variables are ignored', { HOME: '/root', PATH: '/bin' }, (c) => c.port, 8085],
    ['an absolute data folder stays', { DATA_DIR: '/data' }, (c) => c.dataDir, '/data'],
    ['seconds become milliseconds', { STREAM_TTL: '0.5' }, (c) => c.streams.ttlMs, 500],
    ['zero keeps streams for ever', { STREAM_TTL: '0' }, (c) => c.streams.ttlMs, 0],
    ["Python's level names count", { LOG_LEVEL: 'WARNING' }, (c) => c.logLevel, 'warn'],
    ['critical is error', { LOG_LEVEL: 'Critical' }, (c) => c.logLevel, 'error'],
    ['flags have many words', { UPSTREAM_TLS_VERIFY: 'off' }, (c) => c.upstream.verifyTls, false],
    [
      'proxies are a list',
      { TRUSTED_PROXIES: '10.0.0.1, 10.1.0.0/16' },
      (c) => c.trustedProxies,
      ['10.0.0.1', '10.1.0.0/16'],
    ],
    [
      'backoff is a factor',
      { STREAM_RETRY_EXPONENTIAL_BACKOFF: '1' },
      (c) => c.upstream.retryBackoffFactor,
      1.5,
    ],
  ])('%s', (_, environment, pick, expected) => {
    expect(pick(loadConfig(environment))).toEqual(expected);
  });

  it.each([
    [{}, undefined],
    [{ REDIS_HOST: 'r' }, undefined],
    [{ REDIS_ENABLED: 'true' }, 'redis://localhost:6379/0'],
    [
      { REDIS_ENABLED: '1', REDIS_HOST: 'r', REDIS_SERVER_PORT: '1', REDIS_DB: '2' },
      'redis://r:1/2',
    ],
    [{ REDIS_ENABLED: '1', REDIS_PORT: '36790' }, 'redis://localhost:36790/0'],
    [{ REDIS_ENABLED: '1', REDIS_PORT: '36790', REDIS_SERVER_PORT: '7' }, 'redis://localhost:7/0'],
    [{ REDIS_ENABLED: '1', REDIS_PASSWORD: 'a/b' }, 'redis://:a%2Fb@localhost:6379/0'],
    [{ REDIS_ENABLED: '1', REDIS_URL: 'rediss://r' }, 'rediss://r'],
    [{ REDIS_URL: 'unix:///srv/my%20data/redis.sock' }, 'unix:///srv/my%20data/redis.sock'],
  ])('%j means the Redis at %s', (environment, url) => {
    expect(loadConfig(environment).redis.url).toBe(url);
  });
});
