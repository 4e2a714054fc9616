import { describe, expect, it } from 'vitest';
import {
  keepMsOf,
  stallMsOf,
} from '../../../services/delivery/hls/segment-answers/segment-times.ts';
import type { ListPlace } from '../../../services/delivery/hls/playlists/track-lists.ts';

const listed = (count: number, isEnded = false): ListPlace => ({
  track: 't',
  source: 's',
  index: 0,
  isEnded,
  segments: Array.from({ length: count }, (_, n) => ({
    url: `${n}`,
    durationMs: 6000,
    isGap: false,
  })),
});
const target = (kind: 'segment' | 'map' | 'key' | 'data') => ({ kind, url: 'u', source: 's' });

describe('how long a resource is kept', () => {
  it.each([
    ['a live segment: its window and half a segment', target('segment'), listed(5), 33_000],
    ['a live segment of an endless list', target('segment'), listed(5000), 300_000],
    ['a segment that no list names', target('segment'), undefined, 6000],
    ['a film', target('segment'), listed(5, true), 600_000],
    ['an init segment', target('map'), undefined, 300_000],
    ['a key', target('key'), undefined, 0],
    ['a document', target('data'), listed(5, true), 0],
  ])('is said by what it is: %s', (_name, wanted, place, ms) => {
    expect(keepMsOf(wanted, place, 6000)).toBe(ms);
  });
});

describe('how long a source may be silent', () => {
  it.each([
    [0, 10_000, 1000],
    [6000, 10_000, 3000],
    [60_000, 10_000, 10_000],
  ])('is half a target duration within bounds: %d', (targetMs, maxMs, ms) => {
    expect(stallMsOf(targetMs, maxMs)).toBe(ms);
  });
});
