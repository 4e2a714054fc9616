import { describe, expect, it } from 'vitest';
import { mediaKindOf } from '../../../services/streams/media-kind.ts';

describe('what a URL says of its media', () => {
  it.each([
    ['http://h/a.m3u8', 'hls'],
    ['http://h/a.M3U8?token=1', 'hls'],
    ['http://h/movie/u/p/1.m3u8', 'hls'],
    ['http://h/a.mpd?token=1', 'dash'],
    ['http://h/movie/u/p/1.MPD', 'dash'],
    ['http://h/a?file=x.mpd', 'live'],
    ['http://h/a.mp4', 'vod'],
    ['http://h/a.MKV?x=1', 'vod'],
    ['http://h/a.webm#t', 'vod'],
    ['http://h/a.avi', 'vod'],
    ['http://h/movie/u/p/1', 'vod'],
    ['http://h/series/u/p/1.ts', 'vod'],
    ['http://h/timeshift/u/p/60/x/1.ts', 'vod'],
    ['http://h/live/u/p/1.ts', 'live'],
    ['http://h/u/p/1', 'live'],
    ['http://h/a?file=x.mp4', 'live'],
  ])('%s is %s', (url, kind) => expect(mediaKindOf(url)).toBe(kind));
});
