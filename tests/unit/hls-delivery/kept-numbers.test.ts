import { describe, expect, it } from 'vitest';
import { parsePlaylist } from '#hls';
import { asStreamId } from '#kernel/ids';
import type { FetchedPlaylist } from '../../../services/delivery/hls/playlists/fetch-playlist.ts';
import { KeptNumbers } from '../../../services/delivery/hls/playlists/kept-numbers.ts';
import { LiveTracks } from '../../../services/delivery/hls/playlists/live-tracks.ts';
import type { NumberStore } from '../../../services/delivery/hls/playlists/number-store.ts';
import { TestClock, settle } from '../../support/test-clock.ts';

const ID = asStreamId('a'.repeat(32));

type ListOptions = { readonly marks?: readonly number[]; readonly isEnded?: boolean };

function list(first: number, { marks = [], isEnded = false }: ListOptions = {}): FetchedPlaylist {
  const segments = Array.from(
    { length: 4 },
    (_, n) =>
      `${marks.includes(n) ? '#EXT-X-DISCONTINUITY\n' : ''}#EXTINF:2,\nhttp://p/${first + n}.ts\n`,
  );
  const text = `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:${first}\n${segments.join('')}${isEnded ? '#EXT-X-ENDLIST\n' : ''}`;
  return { text, encoding: 'utf8', finalUrl: 'http://p/', facts: parsePlaylist(text) };
}

/** What several processes share. */
class Shelf {
  readonly clock = new TestClock();
  saved: { text: string; by: string; atMs: number } | undefined;
  saves = 0;

  of(name: string): NumberStore {
    return {
      load: async () => {
        const { saved, clock } = this;
        const ageMs = clock.monotonicMs() - (saved?.atMs ?? 0);
        return saved && { text: saved.text, ageMs, isOwn: saved.by === name };
      },
      save: (_id, text) => {
        this.saves += 1;
        this.saved = { text, by: name, atMs: this.clock.monotonicMs() };
      },
      drop: () => {
        this.saved = undefined;
      },
    };
  }
}

async function processOn(shelf: Shelf, name: string) {
  const { clock } = shelf;
  const sources: string[] = [];
  const numbers = new KeptNumbers({
    streamId: ID,
    store: shelf.of(name),
    clock,
    timers: clock,
    resumed: (source) => void sources.push(source),
  });
  await numbers.loaded;
  const tracks = new LiveTracks(clock, numbers);
  const show = (source: string, playlist: FetchedPlaylist) => {
    const { text } = tracks.admit('v', source, playlist).playlist;
    return {
      first: Number(/MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1]),
      discontinuity: Number(/DISCONTINUITY-SEQUENCE:(\d+)/.exec(text)?.[1] ?? 0),
      count: text.split('#EXTINF').length - 1,
    };
  };
  return { numbers, tracks, show, sources };
}

describe('numbers that another process has shown', () => {
  it('go on one by one where the source is the same', async () => {
    const shelf = new Shelf();
    const first = await processOn(shelf, 'first');
    first.show('a', list(100));
    first.show('b', list(7));
    await shelf.clock.advance(4_000);
    expect(first.show('b', list(9))).toEqual({ first: 104, discontinuity: 0, count: 3 });
    const second = await processOn(shelf, 'second');
    expect(second.sources).toEqual(['b']);
    expect(second.tracks.sharesNumbers('v', 'b')).toBe(false);
    await shelf.clock.advance(2_000);
    expect(second.show('b', list(10))).toEqual({ first: 104, discontinuity: 0, count: 4 });
    expect(second.show('b', list(11))).toEqual({ first: 105, discontinuity: 1, count: 4 });
  });

  it('never step back where the source is another one', async () => {
    const shelf = new Shelf();
    const first = await processOn(shelf, 'first');
    first.show('a', list(100));
    for (let at = 101; at <= 120; at += 1) {
      await shelf.clock.advance(2_000);
      first.show('a', list(at, at === 110 ? { marks: [3] } : {}));
    }
    const second = await processOn(shelf, 'second');
    const shown = second.show('b', list(7));
    expect(shown.first).toBeGreaterThanOrEqual(124);
    expect(shown.discontinuity).toBeGreaterThanOrEqual(1);
    expect(second.show('b', list(8)).first).toBeGreaterThanOrEqual(shown.first);
  });

  it('never step back where the source starts over meanwhile', async () => {
    const shelf = new Shelf();
    (await processOn(shelf, 'first')).show('a', list(100));
    const second = await processOn(shelf, 'second');
    expect(second.show('a', list(0)).first).toBeGreaterThanOrEqual(104);
  });

  it('go on in the last playlist of a stream that has ended meanwhile', async () => {
    const shelf = new Shelf();
    const first = await processOn(shelf, 'first');
    first.show('a', list(100));
    first.show('b', list(7));
    const second = await processOn(shelf, 'second');
    expect(second.tracks.isFollowed('v')).toBe(true);
    expect(second.show('b', list(7, { isEnded: true })).first).toBe(104);
  });

  it('count instead of its own for a process that serves again', async () => {
    const shelf = new Shelf();
    const [first, second] = [await processOn(shelf, 'first'), await processOn(shelf, 'second')];
    first.show('a', list(100));
    second.show('a', list(300));
    second.show('b', list(7));
    first.numbers.reload();
    await first.numbers.loaded;
    expect(first.show('b', list(8)).first).toBeGreaterThanOrEqual(304);
  });

  it('are written at a switch and now and then, and not at each reload', async () => {
    const shelf = new Shelf();
    const { show, numbers } = await processOn(shelf, 'first');
    for (let at = 0; at < 20; at += 1) {
      show('a', list(100 + at));
      await shelf.clock.advance(2_000);
    }
    expect(shelf.saves).toBe(1);
    show('b', list(7));
    expect(shelf.saves).toBe(2);
    await shelf.clock.advance(61_000);
    show('b', list(37));
    expect(shelf.saves).toBe(3);
    numbers.close(true);
    show('c', list(1));
    await settle();
    expect([shelf.saves, shelf.saved]).toEqual([3, undefined]);
  });

  it('are of bounded size, and never behind, however many marks a window has', async () => {
    const shelf = new Shelf();
    const first = await processOn(shelf, 'first');
    const text = `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:5\n${'#EXT-X-DISCONTINUITY\n#EXTINF:2,\ns.ts\n'.repeat(5_000)}`;
    const long = { ...list(5), text, facts: parsePlaylist(text) };
    first.show('a', long);
    expect(shelf.saved?.text.length).toBeLessThan(1_000);
    const second = await processOn(shelf, 'second');
    expect(second.show('b', list(7)).discontinuity).toBeGreaterThanOrEqual(5_000);
  });
});
