import { expect, test } from 'vitest';
import type { Target } from '#hls';
import { asStreamId } from '#kernel/ids';
import type { StreamId } from '#kernel/ids';
import { ListedSegments } from '../../../services/delivery/hls/playlists/listed-segments.ts';
import { PlaylistWriter } from '../../../services/delivery/hls/playlists/playlist-writer.ts';
import type { WriteContext } from '../../../services/delivery/hls/playlists/playlist-writer.ts';

const STREAM = asStreamId('0123456789abcdef0123456789abcdef');
const ENTRY = { kind: 'entry', wants: 'any' } as const;
const CHILD = {
  kind: 'child',
  target: { kind: 'playlist', url: 'http://provider.test/m.m3u8', source: '' },
} as const;
const TEN_HOURS_OF_SEGMENTS = 9_000;

class CountingHandles {
  sealed = 0;
  sealedWith = 'one';
  readonly targets: Target[] = [];

  seal(_streamId: StreamId, target: Target): string {
    this.sealed += 1;
    this.targets.push(target);
    return `h${String(this.sealed)}`;
  }

  open(): never {
    throw new Error('Nothing is opened here.');
  }
}

const liveList = (segments: number, first = 0): string =>
  [
    '#EXTM3U',
    '#EXT-X-TARGETDURATION:4',
    ...Array.from({ length: segments }, (_, n) => `#EXTINF:4,\nseg${String(first + n)}.ts`),
    '',
  ].join('\n');

const fetched = (text: string, finalUrl: string) => ({
  text,
  encoding: 'utf8' as const,
  finalUrl,
  facts: { shape: 'media' as const, targetDurationMs: 4000, isEnded: false },
});

const liveContext: WriteContext = {
  source: 's',
  imported: new Map(),
  trackKey: 'media',
  isFilm: false,
  ask: ENTRY,
  endSequence: undefined,
  tracks: [],
};

const writeLive = (writer: PlaylistWriter, text: string): Promise<readonly string[]> =>
  writer.write(fetched(text, 'http://provider.test/live.m3u8'), liveContext);

test('a live list that moves on has each link made once, and the long past is forgotten', async () => {
  const handles = new CountingHandles();
  const writer = new PlaylistWriter({ streamId: STREAM, handles, listed: new ListedSegments() });
  for (let first = 0; first < 2_000; first += 1) await writeLive(writer, liveList(6, first));
  expect(handles.sealed).toBe(2_005);
  await writeLive(writer, liveList(6, 1_990));
  expect(handles.sealed).toBe(2_005);
  await writeLive(writer, liveList(6, 0));
  expect(handles.sealed).toBe(2_011);
});

test('a live list of ten hours, fetched again, has its links made once', async () => {
  const handles = new CountingHandles();
  const writer = new PlaylistWriter({ streamId: STREAM, handles, listed: new ListedSegments() });
  const text = liveList(TEN_HOURS_OF_SEGMENTS);

  const first = await writeLive(writer, text);
  const second = await writeLive(writer, text);

  expect(second).toEqual(first);
  expect(handles.sealed).toBe(TEN_HOURS_OF_SEGMENTS);
});

test('only the playlist at the stream’s own address names tracks of the stream', async () => {
  const handles = new CountingHandles();
  const writer = new PlaylistWriter({ streamId: STREAM, handles, listed: new ListedSegments() });
  const text = '#EXTM3U\n#EXT-X-DEFINE:NAME="a",VALUE="b"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n';
  const write = (isEntry: boolean): Promise<readonly string[]> =>
    writer.write(
      {
        text,
        encoding: 'utf8',
        finalUrl: 'http://provider.test/m.m3u8',
        facts: { shape: 'multivariant', targetDurationMs: undefined, isEnded: false },
      },
      {
        source: isEntry ? 's' : '',
        imported: new Map(),
        trackKey: undefined,
        isFilm: false,
        ask: isEntry ? ENTRY : CHILD,
        endSequence: undefined,
        tracks: [],
      },
    );

  await write(true);
  await write(false);

  const url = 'http://provider.test/v.m3u8';
  const variables = new Map([['a', 'b']]);
  const track = { role: 'variant', ordinal: 0, bandwidth: 1 };
  expect(handles.targets).toEqual([
    { kind: 'playlist', url, source: 's', track, variables },
    { kind: 'playlist', url, source: '', variables },
  ]);
});

test('variables that would not fit a link stay with the stream', async () => {
  const handles = new CountingHandles();
  const writer = new PlaylistWriter({ streamId: STREAM, handles, listed: new ListedSegments() });
  const define = `#EXT-X-DEFINE:NAME="a",VALUE="${'x'.repeat(3000)}"`;
  await writer.write(
    {
      text: `#EXTM3U\n${define}\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n`,
      encoding: 'utf8',
      finalUrl: 'http://provider.test/m.m3u8',
      facts: { shape: 'multivariant', targetDurationMs: undefined, isEnded: false },
    },
    {
      source: 's',
      imported: new Map(),
      trackKey: undefined,
      isFilm: false,
      ask: ENTRY,
      endSequence: undefined,
      tracks: [],
    },
  );
  expect(handles.targets[0]).not.toHaveProperty('variables');
});

test('after a rotation every link is made anew', async () => {
  const handles = new CountingHandles();
  const writer = new PlaylistWriter({ streamId: STREAM, handles, listed: new ListedSegments() });
  const write = (): Promise<readonly string[]> =>
    writer.write(
      {
        text: liveList(3),
        encoding: 'utf8',
        finalUrl: 'http://provider.test/live.m3u8',
        facts: { shape: 'media', targetDurationMs: 4000, isEnded: false },
      },
      {
        source: 's',
        imported: new Map(),
        ask: ENTRY,
        endSequence: undefined,
        trackKey: 'media',
        isFilm: false,
        tracks: [],
      },
    );
  await write();
  handles.sealedWith = 'two';
  await write();
  expect(handles.sealed).toBe(6);
});

const VARIANT = { role: 'variant', bandwidth: 1 };
const variantsOf = (...urls: string[]) =>
  urls.map((url, ordinal) => ({ track: { ...VARIANT, ordinal }, url, variables: new Map() }));

test.each([
  ['at its own address', 'http://p/v1/l.m3u8?t=x', 'http://p/v1/l.m3u8?t=x'],
  ['without the token', '../v1/l.m3u8', 'http://p/v1/l.m3u8?t=x'],
  ['at the server that a redirect chose', 'http://edge/v1/l.m3u8', 'http://p/v1/l.m3u8?t=x'],
  ['where two could be meant', 'l.m3u8?id=9', 'http://p/v0/l.m3u8?id=9'],
  ['that nobody named', 'else.m3u8', 'http://p/v0/else.m3u8'],
])('a rendition report leads where the multivariant playlist does: %s', async (...given) => {
  const [, reported, expected] = given;
  const handles = new CountingHandles();
  const writer = new PlaylistWriter({ streamId: STREAM, handles, listed: new ListedSegments() });
  const same = ['http://p/v0/l.m3u8?id=1', 'http://p/v0/l.m3u8?id=2'];
  const tracks = variantsOf('http://p/v1/l.m3u8?t=x', ...same);
  const context = { ...liveContext, ask: CHILD, tracks };
  const reports = `#EXT-X-RENDITION-REPORT:URI="${reported}"`;
  const ad = '#EXT-X-DATERANGE:ID="a",X-ASSET-URI="http://ads/v1/l.m3u8"';
  await writer.write(fetched(`#EXTM3U\n${reports}\n${ad}\n`, 'http://p/v0/l.m3u8'), context);
  // An advertisement of the same name is no track of the stream.
  expect(handles.targets.map(({ url }) => url)).toEqual([expected, 'http://ads/v1/l.m3u8']);
});

test('a list of forty thousand variants is written in good time, each in its place', async () => {
  const handles = new CountingHandles();
  const writer = new PlaylistWriter({ streamId: STREAM, handles, listed: new ListedSegments() });
  const urls = Array.from({ length: 40_000 }, (_, n) => `http://p/${n}`);
  const text = urls.map((url) => `#EXT-X-STREAM-INF:BANDWIDTH=1\n${url}\n`).join('');
  const tracks = variantsOf(...urls);
  await writer.write(fetched(`#EXTM3U\n${text}`, 'http://p/'), { ...liveContext, tracks });
  expect(handles.targets.at(-1)).toMatchObject({ url: urls.at(-1), track: { ordinal: 39_999 } });
});
