import { expect, test } from 'vitest';
import { asStreamId } from '#kernel/ids';
import { ListedSegments } from '../../../services/delivery/hls/listed-segments.ts';
import { PlaylistWriter } from '../../../services/delivery/hls/playlist-writer.ts';

const STREAM = asStreamId('0123456789abcdef0123456789abcdef');
const TEN_HOURS_OF_SEGMENTS = 9_000;

class CountingHandles {
  sealed = 0;

  seal(): string {
    this.sealed += 1;
    return `h${String(this.sealed)}`;
  }

  open(): never {
    throw new Error('Nothing is opened here.');
  }
}

const liveList = (segments: number): string =>
  [
    '#EXTM3U',
    '#EXT-X-TARGETDURATION:4',
    ...Array.from({ length: segments }, (_, n) => `#EXTINF:4,\nseg${String(n)}.ts`),
    '',
  ].join('\n');

test('a live list of ten hours, fetched again, has its links made once', async () => {
  const handles = new CountingHandles();
  const writer = new PlaylistWriter({ streamId: STREAM, handles, listed: new ListedSegments() });
  const write = (): Promise<readonly string[]> =>
    writer.write(
      {
        text: liveList(TEN_HOURS_OF_SEGMENTS),
        encoding: 'utf8',
        finalUrl: 'http://provider.test/live.m3u8',
        facts: { shape: 'media', targetDurationMs: 4000, isEnded: false },
      },
      {
        source: 's',
        imported: new Map(),
        trackKey: 'media',
        track: undefined,
        isFilm: false,
        tracks: [],
      },
    );

  const first = await write();
  const second = await write();

  expect(second).toEqual(first);
  expect(handles.sealed).toBe(TEN_HOURS_OF_SEGMENTS);
});
