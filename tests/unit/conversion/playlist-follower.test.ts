import { describe, expect, it } from 'vitest';
import { readMediaList } from '#hls';
import type { MediaList } from '#hls';
import { UpstreamError } from '#kernel/app-error';
import { PlaybackMemory } from '../../../services/conversion/playback-memory.ts';
import { PlaylistFollower } from '../../../services/conversion/playlist-follower.ts';
import { TestClock, settle } from '../../support/test-clock.ts';

const TARGET_MS = 4000;
const never = new AbortController().signal;

function list(first: number, count: number, { isEnded = false, name = 'seg' } = {}): MediaList {
  const segments = Array.from({ length: count }, (_, at) => `#EXTINF:4,\n${name}${first + at}.ts`);
  const text = `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:${first}\n${segments.join('\n')}`;
  return readMediaList(isEnded ? `${text}\n#EXT-X-ENDLIST` : text, { baseUrl: 'http://h/' });
}

function following(first: MediaList, answers: readonly (MediaList | Error)[] = []) {
  const clock = new TestClock(0);
  const loadedAt: number[] = [];
  const rest = [...answers];
  const load = async (): Promise<MediaList> => {
    loadedAt.push(clock.monotonicMs());
    const answer = (rest.length > 1 ? rest.shift() : rest[0]) ?? first;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const startAt = new PlaybackMemory(clock).startIn('main', first);
  const follower = new PlaylistFollower({ first, load, startAt, clock, timers: clock });
  const take = async (count: number): Promise<number[]> => {
    const sequences: number[] = [];
    while (sequences.length < count) {
      const segment = await follower.next(never);
      if (segment === undefined) break;
      sequences.push(segment.sequence);
    }
    return sequences;
  };
  return { clock, follower, loadedAt, take };
}

const refused = new UpstreamError('UPSTREAM_REFUSED', { message: 'Refused.' });

describe('following a live playlist', () => {
  it('begins with its last three segments', async () => {
    const { take } = following(list(10, 6));
    expect(await take(3)).toEqual([13, 14, 15]);
  });

  it('asks again after a target duration, and after half of one when nothing was new', async () => {
    const { clock, take, loadedAt } = following(list(10, 3), [list(10, 3), list(11, 3)]);
    const taken = take(4);
    await clock.advance(TARGET_MS * 2);
    expect(await taken).toEqual([10, 11, 12, 13]);
    expect(loadedAt).toEqual([TARGET_MS, TARGET_MS * 1.5]);
  });

  it('says where segments were missed', async () => {
    const { clock, follower, take } = following(list(10, 3), [list(20, 3)]);
    await take(3);
    const next = follower.next(never);
    await clock.advance(TARGET_MS);
    expect(await next).toMatchObject({ sequence: 20, startsAnew: true });
  });

  it('takes no notice of an old copy', async () => {
    const { clock, take } = following(list(10, 4), [list(8, 4), list(11, 4)]);
    const taken = take(4);
    await clock.advance(TARGET_MS * 2);
    expect(await taken).toEqual([11, 12, 13, 14]);
  });

  it('begins anew with a playlist that has begun anew', async () => {
    const { clock, follower, take } = following(list(100, 3), [list(0, 5, { name: 'new' })]);
    await take(3);
    const next = follower.next(never);
    await clock.advance(TARGET_MS);
    expect(await next).toMatchObject({ sequence: 2, startsAnew: true });
  });

  it('has stalled when it does not grow for three target durations', async () => {
    const { clock, follower, take } = following(list(10, 3));
    await take(3);
    const next = follower.next(never);
    next.catch(() => {});
    await clock.advance(TARGET_MS * 3 - 1);
    await clock.advance(TARGET_MS);
    await expect(next).rejects.toMatchObject({ code: 'UPSTREAM_STALLED' });
  });

  it('forgives one failed reload, not two', async () => {
    const { clock, take } = following(list(10, 3), [refused, list(11, 3)]);
    const taken = take(4);
    await clock.advance(TARGET_MS + 1000);
    expect(await taken).toEqual([10, 11, 12, 13]);
    const lost = following(list(10, 3), [refused]);
    const failing = lost.take(4);
    failing.catch(() => {});
    await lost.clock.advance(TARGET_MS + 1000);
    await expect(failing).rejects.toMatchObject({ code: 'UPSTREAM_REFUSED' });
  });

  it('leaves no timer behind when its reader leaves', async () => {
    const { clock, follower, take } = following(list(10, 3));
    await take(3);
    const gone = new AbortController();
    const next = follower.next(gone.signal);
    next.catch(() => {});
    await settle();
    gone.abort();
    await expect(next).rejects.toThrow('aborted');
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('following a film', () => {
  it('goes from its first segment to its last', async () => {
    const { follower, take, loadedAt } = following(list(0, 4, { isEnded: true }));
    expect(await take(9)).toEqual([0, 1, 2, 3]);
    expect(follower.isFilm).toBe(true);
    expect(loadedAt).toEqual([]);
  });
});

describe('who goes on elsewhere', () => {
  const clock = new TestClock(0);
  const film = list(0, 5, { isEnded: true });

  it('begins a film where the last source had come to', () => {
    const memory = new PlaybackMemory(clock);
    memory.filmPlayed(8000);
    expect(memory.startIn('main b', film)).toBe(2);
    memory.filmPlayed(12_000);
    expect(memory.startIn('main b', film)).toBe(5);
  });

  it('goes on behind the last segment of the same playlist', () => {
    const memory = new PlaybackMemory(clock);
    const live = list(10, 6);
    const last = live.segments[2];
    if (last) memory.played('main a', last);
    expect(memory.startIn('main a', live)).toBe(3);
    expect(memory.startIn('main a', list(20, 6))).toBe(5);
  });

  it('sees of another live playlist as much as time has passed', async () => {
    const time = new TestClock(0);
    const memory = new PlaybackMemory(time);
    const live = list(10, 6);
    expect(memory.startIn('main b', live)).toBe(3);
    const last = live.segments[5];
    if (last) memory.played('main a', last);
    expect(memory.startIn('main b', live)).toBe(5);
    await time.advance(TARGET_MS);
    expect(memory.startIn('main b', live)).toBe(4);
    await time.advance(TARGET_MS * 9);
    expect(memory.startIn('main b', live)).toBe(3);
  });
});
