import { describe, expect, it } from 'vitest';
import { parsePlaylist } from '#hls';
import type { FetchedPlaylist } from '../../../services/delivery/hls/playlists/fetch-playlist.ts';
import { LiveTracks } from '../../../services/delivery/hls/playlists/live-tracks.ts';
import { TestClock } from '../../support/test-clock.ts';

const TARGET_S = 2;

function list(first: number, count: number, name = 'seg'): FetchedPlaylist {
  const segments = Array.from(
    { length: count },
    (_, n) => `#EXTINF:${TARGET_S},\nhttp://edge${n}/${name}${first + n}.ts?token=${first}\n`,
  );
  const text = `#EXTM3U\n#EXT-X-TARGETDURATION:${TARGET_S}\n#EXT-X-MEDIA-SEQUENCE:${first}\n${segments.join('')}`;
  return { text, encoding: 'utf8', finalUrl: 'http://p/', facts: parsePlaylist(text) };
}

function start() {
  const clock = new TestClock();
  const tracks = new LiveTracks(clock);
  const admit = (playlist: FetchedPlaylist, source = 'a') => tracks.admit('v', source, playlist);
  const shown = (playlist: FetchedPlaylist) => {
    const { text } = admit(playlist).playlist;
    return {
      first: Number(/MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1]),
      names: [...text.matchAll(/\/(\w+)\.ts/g)].map(([, name]) => name),
      isMarked: text.includes('#EXT-X-DISCONTINUITY\n'),
    };
  };
  return { clock, tracks, admit, shown };
}

const HUGE = 18_446_744_073_709_551_000n;
const KEY = '#EXT-X-KEY:METHOD=AES-128,URI="k"';
const keyed = (first: bigint, name: string): FetchedPlaylist => {
  const playlist = list(10, 4, name);
  const head = `#EXT-X-MEDIA-SEQUENCE:${first}\n${KEY}\n`;
  return { ...playlist, text: playlist.text.replace('#EXT-X-MEDIA-SEQUENCE:10\n', head) };
};
const lastOf = (...playlists: FetchedPlaylist[]) => {
  const { admit } = start();
  const texts = playlists.map((playlist, n) => admit(playlist, `${n}`).playlist.text);
  const last = texts.at(-1) ?? '';
  return {
    first: /MEDIA-SEQUENCE:(\d+)/.exec(last)?.[1],
    vectors: [...last.matchAll(/IV=0x0*([0-9a-f]+)/g)].map(([, hex]) => `0x${hex}`).map(BigInt),
  };
};

describe('LiveTracks', () => {
  it('gives the last playlist on where a cache has an older one', () => {
    const { shown } = start();
    shown(list(10, 4));
    expect(shown(list(9, 4))).toEqual({
      first: 10,
      names: ['seg10', 'seg11', 'seg12', 'seg13'],
      isMarked: false,
    });
    expect(shown(list(11, 4)).first).toBe(11);
  });

  it.each([
    ['from the first number', list(0, 2, 'new')],
    ['within the numbers that were shown', list(8, 4, 'new')],
    ['at the same number, with less', list(10, 2, 'new')],
  ])('goes on behind a discontinuity when its source starts over %s', (_, again) => {
    const { shown } = start();
    shown(list(10, 4));
    const after = shown(again);
    expect(after.first).toBe(14);
    expect(after.isMarked).toBe(true);
    expect(after.names.every((name) => name?.startsWith('new'))).toBe(true);
  });

  it('does not hold on to an old copy for longer than a source may stand still', async () => {
    const { clock, shown, admit } = start();
    shown(list(10, 4));
    await clock.advance(4_001);
    expect(admit(list(9, 4)).hasStalled || shown(list(9, 4)).first !== 10).toBe(true);
  });

  it('tells a standstill once, between one and a half and three target durations', async () => {
    const { clock, admit } = start();
    admit(list(10, 4));
    await clock.advance(3_000);
    expect(admit(list(10, 4)).hasStalled).toBe(false);
    await clock.advance(1_001);
    expect(admit(list(10, 4)).hasStalled).toBe(true);
    expect(admit(list(10, 4)).hasStalled).toBe(false);
    expect(admit(list(11, 4)).hasStalled).toBe(false);
  });

  it('knows the source’s number behind the last segment', () => {
    const { tracks, admit } = start();
    admit(list(10, 4));
    admit(list(3, 4), 'b');
    expect(tracks.endOf('v')).toBe(7);
    expect(tracks.sharesNumbers('v', 'b')).toBe(false);
  });

  describe('with numbers that are larger than sums are exact', () => {
    it.each([
      ['to small ones', HUGE, 3n],
      ['to large ones', 3n, HUGE],
      ['to other large ones', HUGE, HUGE - 10n ** 18n],
    ])('goes on from one source %s', (_name, one, other) => {
      const { first, vectors } = lastOf(keyed(one, 'a'), keyed(other, 'b'));
      expect(first).toBe(`${one + 4n}`);
      // Of the new source's window only the last is shown: so little time has passed.
      expect(vectors).toEqual([other + 3n]);
    });

    it('goes on when its source starts over', () => {
      const { admit } = start();
      admit(keyed(HUGE, 'a'));
      const { text } = admit(keyed(1n, 'b')).playlist;
      expect(text).toContain(`#EXT-X-MEDIA-SEQUENCE:${HUGE + 4n}\n`);
      expect(text).toContain('#EXT-X-DISCONTINUITY\n');
    });

    it('goes on unchanged while the source does, and tells a standstill', async () => {
      const { admit, clock } = start();
      admit(keyed(HUGE, 'a'));
      const next = keyed(HUGE + 1n, 'a');
      expect(admit(next).playlist.text).toBe(next.text);
      await clock.advance(4_001);
      expect(admit(next).hasStalled).toBe(true);
    });
  });
});
