import { describe, expect, it } from 'vitest';
import { ListedSegments } from '../../../services/delivery/hls/playlists/listed-segments.ts';
import type { Listing } from '../../../services/delivery/hls/playlists/listed-segments.ts';
import { Lru } from '../../../services/delivery/viewing/lru.ts';
import { SegmentHealth } from '../../../services/delivery/hls/playlists/segment-health.ts';

describe('Lru', () => {
  it('forgets what was not used for longest', () => {
    const lru = new Lru<string, number>(2);
    lru.set('a', 1);
    lru.set('b', 2);
    expect(lru.get('a')).toBe(1);
    lru.set('c', 3);
    expect([lru.get('a'), lru.get('b'), lru.get('c')]).toEqual([1, undefined, 3]);
    expect([...lru.values()]).toEqual([1, 3]);
  });

  it('counts a key once, however often it is set', () => {
    const lru = new Lru<string, number>(2);
    for (const value of [1, 2, 3]) lru.set('a', value);
    lru.set('b', 4);
    expect([lru.get('a'), lru.get('b')]).toEqual([3, 4]);
  });
});

describe('SegmentHealth', () => {
  it.each([
    ['two different ones in a row', ['x1', 'x2'], [false, true]],
    ['the same one again and again', ['x1', 'x1', 'x1'], [false, false, false]],
    ['one good one between them', ['x1', 'ok', 'x2'], [false, undefined, false]],
    ['two more after that', ['x1', 'x2', 'x3', 'x4'], [false, true, false, true]],
  ])('says when to leave a source: %s', (_name, events, verdicts) => {
    const health = new SegmentHealth();
    const said = events.map((event) =>
      event === 'ok' ? health.succeeded() : health.failed(event),
    );
    expect(said).toEqual(verdicts);
  });

  it('is in doubt from the first failure to the next success', () => {
    const health = new SegmentHealth();
    expect(health.isInDoubt).toBe(false);
    health.failed('x');
    expect(health.isInDoubt).toBe(true);
    health.succeeded();
    expect(health.isInDoubt).toBe(false);
  });
});

const ENTRY = { kind: 'entry', wants: 'any' } as const;

const listing = (...segments: string[]): Listing => ({
  segments,
  parts: new Set(),
  absent: new Set(),
  ask: ENTRY,
  endSequence: 100,
});

describe('ListedSegments', () => {
  it('knows which segment has which number, and what each was listed by', () => {
    const listed = new ListedSegments();
    listed.listed('v0', listing('a', 'b', 'c'));
    expect([96, 97, 98, 99, 100].map((number) => listed.urlAt('v0', number))).toEqual([
      undefined,
      'a',
      'b',
      'c',
      undefined,
    ]);
    expect(listed.placeOf('b')).toEqual({ trackKey: 'v0', ask: ENTRY });
    expect(listed.placeOf('x')).toBeUndefined();
  });

  it('counts segments that share an address each by itself', () => {
    const listed = new ListedSegments();
    listed.listed('v0', listing('film', 'film', 'c'));
    expect([97, 98, 99].map((number) => listed.urlAt('v0', number))).toEqual(['film', 'film', 'c']);
  });

  it('knows what each track lists now', () => {
    const listed = new ListedSegments();
    listed.listed('variant 0 s', listing('a'));
    listed.listed('variant 1 s', listing('b'));
    listed.listed('variant 0 s', listing('c'));
    expect(['a', 'b', 'c'].map((url) => listed.standingOf(url))).toEqual([
      'unlisted',
      'due',
      'due',
    ]);
  });

  it('knows what need not be there: gaps, hints, and what no picture needs', () => {
    const listed = new ListedSegments();
    const lowLatency = { parts: new Set(['part']), absent: new Set(['gap', 'hint']) };
    listed.listed('entry', { ...listing('segment', 'gap', 'both'), ...lowLatency });
    listed.listed('subtitles 0 s', listing('words', 'both'));
    const urls = ['segment', 'part', 'both', 'gap', 'hint', 'words', 'x'];
    expect(urls.map((url) => listed.standingOf(url))).toEqual([
      'due',
      'due',
      'due',
      'not-due',
      'not-due',
      'not-due',
      'unlisted',
    ]);
  });

  it('takes everything for listed where a playlist is too long to remember', () => {
    const listed = new ListedSegments();
    const many = listing(...Array.from({ length: 3000 }, (_, n) => `${n}`));
    listed.listed('iframe 0 s', many);
    expect(listed.standingOf('anything')).toBe('unlisted');
    listed.listed('variant 0 s', many);
    expect(listed.standingOf('anything')).toBe('due');
  });
});
