import { describe, expect, it } from 'vitest';
import { counted, listed, oldest, removable } from '#api/selection/by-metadata';
import { streamIdOf } from '#kernel/ids';
import type { StreamSnapshot } from '#streams';
import { NO_OPTIONS } from '../../support/stream-bench.ts';

type Traits = {
  readonly metadata?: Record<string, string>;
  viewers?: number;
  createdAtMs?: number;
};

function stream(name: string, { metadata = {}, viewers = 0, createdAtMs = 0 }: Traits = {}) {
  const url = `http://example.com/${name}`;
  const snapshot: StreamSnapshot = {
    definition: {
      v: 1,
      id: streamIdOf(url),
      url,
      failoverUrls: [],
      failoverResolverUrl: null,
      userAgent: null,
      headers: {},
      metadata,
      sharing: null,
      options: NO_OPTIONS,
      createdAtMs,
    },
    kind: 'live',
    userAgent: 'x',
    currentUrl: url,
    failoverIndex: -1,
    failoverAttempts: 0,
    lastFailoverAtMs: null,
    switches: [],
    slate: null,
    media: null,
    viewerCount: viewers,
    bytesServed: 0,
    segmentsServed: 0,
    errorCount: 0,
    lastAccessMs: 0,
  };
  return snapshot;
}

const one = stream('one', { metadata: { a: '1' }, viewers: 3 });
const idle = stream('idle', { metadata: { a: '1' } });
const bare = stream('bare', { viewers: 1 });
const all = [one, idle, bare];

describe('a filter by metadata', () => {
  it.each([
    [{ field: 'a', value: '1', activeOnly: false }, [one, idle]],
    [{ field: 'a', value: '1', activeOnly: true }, [one]],
    [{ field: 'a', value: '', activeOnly: false }, [bare]],
    [{ field: 'a', value: '2', activeOnly: false }, []],
    [{ field: 'constructor', value: '', activeOnly: false }, all],
    [{ field: '__proto__', value: '', activeOnly: true }, [one, bare]],
  ])('lists %j', (listing, expected) => {
    expect(listed(all, listing)).toEqual(expected);
  });

  it.each([
    [{ field: 'a', value: '1' }, [one, idle]],
    [{ field: 'a', value: '' }, []],
    [{ field: 'constructor', value: '' }, []],
  ])('removes only what has the field: %j', (filter, expected) => {
    expect(removable(all, filter)).toEqual(expected);
  });

  it('counts every value that is asked for, also one that objects know', () => {
    const counting = { field: 'a', values: ['1', '2', 'toString'], activeOnly: false };
    expect(counted(all, counting)).toEqual({ 1: 2, 2: 0, toString: 0 });
    expect(counted(all, { ...counting, activeOnly: true })).toMatchObject({ 1: 1 });
  });
});

describe('the oldest stream', () => {
  const early = stream('early', { createdAtMs: 1 });
  const late = stream('late', { createdAtMs: 2, viewers: 1 });
  const later = stream('later', { createdAtMs: 3, viewers: 1 });

  it.each([
    ['none of none', [], undefined],
    ['the oldest when nobody watches any', [early, stream('x', { createdAtMs: 5 })], early],
    ['the oldest that somebody watches, when somebody does', [early, later, late], late],
  ])('is %s', (_what, streams, expected) => {
    expect(oldest(streams)).toBe(expected);
  });
});
