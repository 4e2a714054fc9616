import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { asStreamId } from '#kernel/ids';
import {
  answer,
  frozen,
  hlsLive,
  startFakeProvider,
  status,
} from '../../scripts/faultd.d/fake-provider.ts';
import type { FakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { startHls } from '../support/hls-bench.ts';
import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../scripts/faultd.d/media.ts';

const run = promisify(execFile);
const PICTURES = 200; // Eight seconds.
const AHEAD_MS = 5_000;

/**
 * Plays until so many pictures have been decoded, however their timestamps jump: ffmpeg's own
 * clock is no measure across a discontinuity, which its demuxer does not heed.
 */
async function watch(url: string): Promise<number> {
  const args = `-v error -nostdin -i ${url} -an -fps_mode passthrough -frames:v ${PICTURES}`.split(
    ' ',
  );
  const output = '-progress pipe:1 -f null -'.split(' ');
  const { stdout } = await run('ffmpeg', [...args, ...output], { timeout: 25_000 });
  return Number([...stdout.matchAll(/^frame=\s*(\d+)/gm)].at(-1)?.[1] ?? 0);
}

type Way = readonly [string, (primary: FakeProvider) => unknown, { readonly encrypted: boolean }];

const ways: readonly Way[] = [
  ['goes away', (primary) => primary.down(), { encrypted: false }],
  ['refuses', (primary) => primary.setFault('/live/', status(403)), { encrypted: true }],
  ['stands still', (primary) => primary.setFault('/live/', frozen()), { encrypted: false }],
];

const segmentsOf = (provider: FakeProvider): number =>
  provider.requests.filter(({ path }) => path.endsWith('.ts')).length;

/** What a player goes by: each number is one segment, and neither counter ever steps back. */
class NumbersSeen {
  readonly faults: string[] = [];
  readonly #segments = new Map<number, string>();
  #first = 0;
  #discontinuity = 0;
  #marks = 0;

  get count(): number {
    return this.#segments.size;
  }

  /** Seams seen so far, those that have left the list included. */
  get discontinuities(): number {
    return this.#marks;
  }

  add(playlist: string): void {
    const [first, discontinuity] = ['MEDIA', 'DISCONTINUITY'].map((name) =>
      Number(new RegExp(`#EXT-X-${name}-SEQUENCE:(\\d+)`).exec(playlist)?.[1] ?? 0),
    ) as [number, number];
    if (first < this.#first) this.faults.push(`${first} after ${this.#first}`);
    if (discontinuity < this.#discontinuity) this.faults.push(`discontinuity ${discontinuity}`);
    const links = playlist.split('\n').filter((line) => line.startsWith('segment'));
    for (const [at, link] of links.entries()) {
      const known = this.#segments.get(first + at) ?? link;
      if (known !== link) this.faults.push(`another segment has the number ${first + at}`);
      this.#segments.set(first + at, link);
    }
    this.#first = first;
    const marks = playlist.match(/^#EXT-X-DISCONTINUITY$/gm)?.length ?? 0;
    this.#discontinuity = Math.max(this.#discontinuity, discontinuity);
    this.#marks = Math.max(this.#marks, discontinuity + marks);
  }
}

/** Each part is rounded by itself. */
const ROUNDED_MS = 2;

describe('a live HLS stream', () => {
  it.concurrent.each(ways)(
    'plays on in ffmpeg when its source %s, from one with lower numbers',
    async (_name, fail, options) => {
      const { main, other, durationMs } = await media();
      const live = async (path: string) => ({
        '/live/': hlsLive(await LoopedTs.open(path, durationMs), options),
      });
      await using primary = await startFakeProvider(await live(main));
      await delay(AHEAD_MS);
      await using backup = await startFakeProvider(await live(other));
      await using penstock = await startHls();
      const id = await penstock.create(primary.url('/live/index.m3u8'), {
        failoverUrls: [backup.url('/live/index.m3u8')],
      });
      const watching = watch(penstock.playlistUrl(id));
      await primary.until(() => segmentsOf(primary) >= 3, 10_000);
      await fail(primary);
      expect(await watching).toBe(PICTURES);
      expect(segmentsOf(backup)).toBeGreaterThanOrEqual(3);
      expect(penstock.state.told.filter((type) => type === 'failover_triggered')).toHaveLength(1);
      const { switches } = await penstock.registry.get(asStreamId(id));
      const { gapMs, detectionMs, connectMs } = switches.at(-1) ?? {};
      expect(gapMs).toBeGreaterThan(0);
      expect(gapMs).toBeLessThan(30_000);
      expect((detectionMs ?? Infinity) + (connectMs ?? Infinity)).toBeLessThanOrEqual(
        (gapMs ?? 0) + ROUNDED_MS,
      );
    },
    40_000,
  );

  it.concurrent(
    'plays on in ffmpeg when its source begins anew, and no number steps back',
    async () => {
      const { main, other, durationMs } = await media();
      const live = async (path: string) =>
        startFakeProvider({ '/live/': hlsLive(await LoopedTs.open(path, durationMs)) });
      await using before = await live(main);
      let now = before;
      await using source = await startFakeProvider({
        '/live/': answer(async ({ path }) => {
          const answered = await fetch(now.url(path));
          const { headers, status: code } = answered;
          const type = { 'content-type': headers.get('content-type') ?? '' };
          return { status: code, headers: type, body: Buffer.from(await answered.arrayBuffer()) };
        }),
      });
      await delay(AHEAD_MS);
      await using penstock = await startHls();
      const url = penstock.playlistUrl(await penstock.create(source.url('/live/index.m3u8')));
      const watching = watch(url);
      const seen = new NumbersSeen();
      await source.until(() => segmentsOf(source) >= 3, 10_000);
      seen.add(await (await fetch(url)).text());
      await using anew = await live(other);
      now = anew;
      const isOver = watching.then(() => true);
      while (!(await Promise.race([isOver, delay(200)]))) seen.add(await (await fetch(url)).text());
      expect(await watching).toBe(PICTURES);
      expect(seen.faults).toEqual([]);
      expect(seen.discontinuities).toBeGreaterThanOrEqual(1);
      expect(seen.count).toBeGreaterThan(8);
      expect(penstock.state.told).not.toContain('failover_triggered');
      expect(penstock.state.told).not.toContain('stream_failed');
    },
    40_000,
  );
});
