import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import type { StreamId } from '#kernel/ids';
import { asStreamId } from '#kernel/ids';
import {
  eofAfter,
  frozen,
  hlsLive,
  liveTs,
  stallAfter,
  startFakeProvider,
  status,
  text,
} from '../../scripts/faultd.d/fake-provider.ts';
import type { FakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../scripts/faultd.d/media.ts';
import type { Media } from '../../scripts/faultd.d/media.ts';
import { startConversion } from '../support/conversion-bench.ts';
import { PLAYLIST_TYPE } from '../support/hls-titles.ts';
import { eventually } from '../support/processes.ts';
import { fetchOnce } from '../support/viewer.ts';

const run = promisify(execFile);

let made: Media;
let main: LoopedTs;
let other: LoopedTs;

beforeAll(async () => {
  made = await media();
  main = await LoopedTs.open(made.main, made.durationMs);
  other = await LoopedTs.open(made.other, made.durationMs);
});

type Bench = Awaited<ReturnType<typeof startConversion>>;

const PICTURES = 175; // Seven seconds.

/** Plays until so many pictures have been decoded; gives how many, and what there was to say. */
async function watch(url: string): Promise<{ pictures: number; complaints: string }> {
  const args = `-v error -nostdin -i ${url} -an -fps_mode passthrough -frames:v ${PICTURES}`.split(
    ' ',
  );
  const output = '-progress pipe:1 -f null -'.split(' ');
  const { stdout, stderr } = await run('ffmpeg', [...args, ...output], { timeout: 30_000 });
  const pictures = Number([...stdout.matchAll(/^frame=\s*(\d+)/gm)].at(-1)?.[1] ?? 0);
  return { pictures, complaints: stderr };
}

/** What a transport stream consists of. */
async function tracksIn(bytes: Buffer): Promise<readonly string[]> {
  const args = '-v error -show_entries stream=codec_type -of csv=p=0 -i pipe:0'.split(' ');
  const probing = run('ffprobe', args, { timeout: 20_000 });
  probing.child.stdin?.end(bytes);
  const kinds = (await probing).stdout.split('\n').map((line) => line.replace(/,.*/, '').trim());
  return [...new Set(kinds.filter((kind) => kind !== ''))].toSorted();
}

const urlOf = (bench: Bench, id: string): string => `${bench.base}/hls/${id}/playlist.m3u8`;

const textOf = async (url: string): Promise<string> => (await fetchOnce(url)).body().toString();

const isRefused = async (url: string): Promise<boolean> => (await fetchOnce(url)).status === 502;

const linksIn = (playlist: string, url: string): readonly string[] =>
  [...playlist.matchAll(/^segment\.ts\?.+$/gm)].map(([link]) => new URL(link, url).href);

/** Those that a multivariant playlist names, in its order. */
const childrenIn = (playlist: string, url: string): readonly string[] =>
  [...playlist.matchAll(/playlist\.m3u8\?[^"\s]+/g)].map(([link]) => new URL(link, url).href);

const isCut = (playlist: string): boolean => playlist.includes('segment.ts?h=p.');

function numbersIn(playlist: string) {
  const number = (tag: string): number =>
    Number(new RegExp(`^#EXT-X-${tag}:(\\d+)$`, 'm').exec(playlist)?.[1] ?? 0);
  const first = number('MEDIA-SEQUENCE');
  const count = playlist.match(/^#EXTINF/gm)?.length ?? 0;
  const before = number('DISCONTINUITY-SEQUENCE');
  const marks = playlist.match(/^#EXT-X-DISCONTINUITY$/gm)?.length ?? 0;
  return { first, end: first + count, before, turns: before + marks };
}

/** The number of the first segment behind the discontinuity. */
const seamOf = (playlist: string): number =>
  numbersIn(playlist.split('#EXT-X-DISCONTINUITY\n', 1)[0] ?? '').end;

/** Asks as a player does, until an answer is as it should be; gives all that were whole. */
async function poll(url: string, until: (playlist: string) => boolean): Promise<readonly string[]> {
  const seen: string[] = [];
  const isReached = async (): Promise<boolean> => {
    const given = await fetchOnce(url);
    if (given.status !== 200) return false;
    seen.push(given.body().toString());
    return until(seen.at(-1) ?? '');
  };
  await eventually('the playlist is as it should be', isReached, 12_000);
  return seen;
}

/** Neither number ever steps back, and no segment stands under two numbers. */
function expectSteady(playlists: readonly string[]): void {
  const numbers = playlists.map(numbersIn);
  for (const [index, next] of numbers.slice(1).entries()) {
    const last = numbers[index];
    expect(next.first).toBeGreaterThanOrEqual(last?.first ?? 0);
    expect(next.end).toBeGreaterThanOrEqual(last?.end ?? 0);
    expect(next.before).toBeGreaterThanOrEqual(last?.before ?? 0);
  }
}

const switchesOf = (bench: Bench, id: string) =>
  bench.state.events
    .filter(({ streamId }) => streamId === (id as StreamId))
    .flatMap(({ fact }) => (fact.type === 'failover_triggered' ? [fact] : []));

const segmentsOf = (provider: FakeProvider): number =>
  provider.requests.filter(({ path }) => path.endsWith('.ts')).length;

type Backup = {
  readonly provider: FakeProvider;
  /** Where it is asked. */
  readonly path: string;
  readonly options?: Parameters<typeof startConversion>[0];
};

/** A live playlist with its sound inside, and another source in its place. */
async function startBefore({ provider: backup, path, options }: Backup) {
  const primary = await startFakeProvider({ '/l/': hlsLive(main) });
  const bench = await startConversion(options);
  const id = await bench.create(primary.url('/l/index.m3u8'), { failoverUrls: [backup.url(path)] });
  const dispose = async (): Promise<void> => {
    await bench[Symbol.asyncDispose]();
    await primary[Symbol.asyncDispose]();
    await backup[Symbol.asyncDispose]();
  };
  return { primary, backup, bench, id, url: urlOf(bench, id), [Symbol.asyncDispose]: dispose };
}

/** Whose backup is a transport stream. */
async function start() {
  const provider = await startFakeProvider({ '/b.ts': liveTs(other) });
  return startBefore({ provider, path: '/b.ts' });
}

/** Whose backup has its sound apart. */
async function startApart(ffmpeg: string) {
  // Sound and pictures of one channel, each in a playlist of its own; both have both.
  const master =
    '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="s",NAME="a",DEFAULT=YES,URI="sound/index.m3u8"\n' +
    '#EXT-X-STREAM-INF:BANDWIDTH=900000,AUDIO="s"\npictures/index.m3u8\n';
  const provider = await startFakeProvider({
    '/m.m3u8': text(master, PLAYLIST_TYPE),
    '/sound/': hlsLive(other),
    '/pictures/': hlsLive(other),
  });
  return startBefore({ provider, path: '/m.m3u8', options: { ffmpeg } });
}

const ways: readonly (readonly [string, (primary: FakeProvider) => unknown])[] = [
  ['is killed', (primary) => primary.down()],
  ['has no playlist any more', (primary) => primary.setFault('/l/index.m3u8', status(404))],
  ['stands still', (primary) => primary.setFault('/l/', frozen())],
  ['has no segments any more', (primary) => primary.setFault('/l/seg*', status(503))],
];

describe.concurrent('a live playlist whose backup is a transport stream', () => {
  it.each(ways)(
    'plays on in ffmpeg, switched once, when it %s',
    async (_name, fail) => {
      await using stage = await start();
      const { primary, backup, bench, id, url } = stage;
      const watching = watch(url);
      await primary.until(() => segmentsOf(primary) >= 4, 10_000);
      await fail(primary);
      expect(await watching).toEqual({ pictures: PICTURES, complaints: '' });
      const [change, ...more] = switchesOf(bench, id);
      expect(more).toEqual([]);
      expect(change?.gapMs).toBeGreaterThan(0);
      expect(change?.gapMs).toBeLessThan(15_000);
      // One at a time: it was asked what it is, and then read.
      expect(backup.requests).toHaveLength(2);
      expect(backup.maxOpen()).toBe(1);
    },
    45_000,
  );

  it('goes on in its numbers, behind one discontinuity', async () => {
    await using stage = await start();
    const { primary, bench, id, url } = stage;
    const [before = ''] = await poll(url, (list) => numbersIn(list).end > 0);
    const old = linksIn(before, url);
    await fetchOnce(old.at(-1) ?? '');
    await primary.down();
    expect((await fetchOnce(old.at(-1) ?? '')).status).toBe(200);
    const seen = await poll(url, (list) => isCut(list) && numbersIn(list).before > 0);
    expectSteady([before, ...seen]);
    const firstCut = seen.find(isCut) ?? '';
    const last = numbersIn(seen.findLast((list) => !isCut(list)) ?? before);
    expect(numbersIn(firstCut)).toMatchObject({ before: last.before, turns: last.turns + 1 });
    expect(seamOf(firstCut)).toBe(last.end);
    // What was kept of the playlist stands in front, for its time.
    expect(numbersIn(firstCut).first).toBeLessThan(last.end);
    expect(numbersIn(seen.at(-1) ?? '')).toMatchObject({ turns: last.turns + 1 });
    // What players still have is of no more use, and moves nobody.
    for (const link of old.slice(0, 3)) expect((await fetchOnce(link)).status).toBe(502);
    expect((await bench.registry.get(asStreamId(id))).failoverIndex).toBe(0);
    expect(switchesOf(bench, id)).toHaveLength(1);
  });

  it('gives those who have a variant’s link, or one of its sound, the same; and others a failure', async () => {
    const master =
      '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="s",NAME="a",URI="index.m3u8?sound"\n' +
      '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="t",NAME="t",URI="index.m3u8?texts"\n' +
      '#EXT-X-STREAM-INF:BANDWIDTH=900000,AUDIO="s",SUBTITLES="t"\nindex.m3u8?pictures\n' +
      '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=90000,URI="index.m3u8?strip"\n';
    await using stage = await start();
    const { primary, backup, bench } = stage;
    primary.setRoute('/m.m3u8', text(master.replaceAll('index', 'l/index'), PLAYLIST_TYPE));
    const failoverUrls = [backup.url('/b.ts')];
    const id = await bench.create(primary.url('/m.m3u8'), { failoverUrls });
    const url = urlOf(bench, id);
    const links = childrenIn(await textOf(url), url);
    expect(links).toHaveLength(4);
    const [sound = '', texts = '', pictures = '', strip = ''] = links;
    const before = await Promise.all(links.map(textOf));
    await primary.down();
    const polled = await Promise.all([sound, pictures].map((link) => poll(link, isCut)));
    for (const [index, seen] of polled.entries()) {
      const shown = before[index * 2] ?? '';
      expectSteady([shown, ...seen]);
      expect(numbersIn(seen.at(-1) ?? '').turns).toBe(numbersIn(shown).turns + 1);
    }
    for (const link of [texts, strip])
      await eventually('it is refused', () => isRefused(link), 8000);
    // Who comes now gets one playlist, of the same segments.
    const late = await textOf(`${url}?client_id=late`);
    const now = await textOf(pictures);
    expect(numbersIn(late).end - numbersIn(late).first).toBe(
      numbersIn(now).end - numbersIn(now).first,
    );
    expect(switchesOf(bench, id)).toHaveLength(1);
    expect((await bench.registry.get(asStreamId(id))).failoverIndex).toBe(0);
  });

  it.each([
    ['a file that says its length', (card: Buffer) => text(card, 'video/mp2t')],
    ['a page', () => text('<html>limit</html>', 'text/html')],
  ])('takes %s for no source, and goes on to the next', async (_name, routeOf) => {
    const card = (await readFile(made.main)).subarray(0, 188 * 4000);
    await using primary = await startFakeProvider({ '/l/': hlsLive(main) });
    await using others = await startFakeProvider({ '/c.ts': routeOf(card), '/l/': hlsLive(other) });
    await using bench = await startConversion();
    const failoverUrls = [others.url('/c.ts'), others.url('/l/index.m3u8')];
    const id = await bench.create(primary.url('/l/index.m3u8'), { failoverUrls });
    const url = urlOf(bench, id);
    const before = await textOf(url);
    await primary.down();
    const seen = await poll(url, (list) => numbersIn(list).end > numbersIn(before).end + 1);
    expect(seen.some(isCut)).toBe(false);
    expect(others.requestsOf('/c.ts')).toHaveLength(1);
    expect(switchesOf(bench, id)).toMatchObject([{ failoverIndex: 1 }]);
  });

  it.each([
    ['ends', eofAfter(188 * 4000)],
    ['falls silent', stallAfter(188 * 4000)],
  ])('takes a short transport stream that %s for no source', async (_name, fault) => {
    await using primary = await startFakeProvider({ '/l/': hlsLive(main) });
    await using others = await startFakeProvider({
      '/c.ts': liveTs(main, { speed: Number.POSITIVE_INFINITY }),
      '/l/': hlsLive(other),
    });
    others.setFault('/c.ts', fault);
    await using bench = await startConversion();
    const failoverUrls = [others.url('/c.ts'), others.url('/l/index.m3u8')];
    const id = await bench.create(primary.url('/l/index.m3u8'), { failoverUrls });
    const url = urlOf(bench, id);
    const before = await textOf(url);
    await primary.down();
    const seen = await poll(url, (list) => numbersIn(list).end > numbersIn(before).end + 1);
    expect(seen.some(isCut)).toBe(false);
    expectSteady([before, ...seen]);
    expect(switchesOf(bench, id)).toMatchObject([{ failoverIndex: 1 }]);
    await eventually('nothing reads the card', () => others.open('/c.ts') === 0, 2000);
  });

  it('stays with what is cut when the stream comes back to a playlist, until nobody watches', async () => {
    await using stage = await start();
    const { primary, backup, bench, id, url } = stage;
    const before = await textOf(url);
    await primary.down();
    const cut = await poll(url, isCut);
    await primary.up();
    await backup.down();
    const back = await poll(
      url,
      (list) => numbersIn(list).end > numbersIn(cut.at(-1) ?? '').end + 4,
    );
    expect(back.every(isCut)).toBe(true);
    expectSteady([before, ...cut, ...back]);
    expect(numbersIn(back.at(-1) ?? '').turns).toBe(numbersIn(before).turns + 1);
    expect((await bench.registry.get(asStreamId(id))).failoverIndex).toBe(-1);
    expect(switchesOf(bench, id).map(({ failoverIndex }) => failoverIndex)).toEqual([0, -1]);
  });

  it('reads nothing any more as soon as the stream is removed', async () => {
    await using stage = await start();
    const { primary, backup, bench, id, url } = stage;
    await textOf(url);
    await primary.down();
    await poll(url, isCut);
    expect(backup.open('/b.ts')).toBe(1);
    await bench.registry.remove(asStreamId(id), { reason: 'manual_deletion' });
    await eventually('nothing is read', () => backup.open('/b.ts') === 0, 5_000);
  });
});

describe.concurrent('a playlist with its sound inside whose backup has it apart', () => {
  it('goes on with both in segments that are cut here; who comes later gets the lists', async () => {
    await using stage = await startApart('ffmpeg');
    const { primary, bench, id, url } = stage;
    const before = await textOf(`${url}?client_id=ann`);
    await primary.down();
    const seen = await poll(`${url}?client_id=ann`, isCut);
    expectSteady([before, ...seen]);
    const [last = ''] = linksIn(seen.at(-1) ?? '', url).slice(-1);
    expect(await tracksIn((await fetchOnce(last)).body())).toEqual(['audio', 'video']);
    const late = await textOf(`${url}?client_id=bob`);
    const children = childrenIn(late, url);
    expect(children).toHaveLength(2);
    for (const list of await Promise.all(children.map(textOf))) {
      expect(list).toContain('#EXTINF');
      expect(isCut(list)).toBe(false);
    }
    expect(switchesOf(bench, id)).toHaveLength(1);
  });

  it('has the pictures alone where nothing can bring them together', async () => {
    await using stage = await startApart('/nowhere/ffmpeg');
    const { primary, backup, bench, id, url } = stage;
    const before = await textOf(url);
    await primary.down();
    const goesOn = (list: string): boolean => numbersIn(list).end > numbersIn(before).end + 1;
    const seen = await poll(url, goesOn);
    expectSteady([before, ...seen]);
    expect(seen.some(isCut)).toBe(false);
    expect(backup.requestsOf('/pictures/').length).toBeGreaterThan(0);
    expect((await bench.registry.get(asStreamId(id))).failoverIndex).toBe(0);
  });
});
