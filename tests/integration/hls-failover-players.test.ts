import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { frozen, hlsLive, startFakeProvider, status } from '../support/fake-provider.ts';
import type { FakeProvider } from '../support/fake-provider.ts';
import { startHls } from '../support/hls-bench.ts';
import { LoopedTs } from '../support/looped-ts.ts';
import { media } from '../support/media.ts';

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

describe('a live HLS stream', () => {
  it.concurrent.each(ways)(
    'plays on in ffmpeg when its source %s, from one with lower numbers',
    async (_name, fail, options) => {
      const { main, other, durationMs } = await media();
      const live = async (path: string) => ({
        '/live/': hlsLive(await LoopedTs.open(path, durationMs), options),
      });
      await using primary = await startFakeProvider(await live(main));
      await new Promise((resolve) => setTimeout(resolve, AHEAD_MS));
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
    },
    40_000,
  );
});
