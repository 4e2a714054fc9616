import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { folder, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { startHls } from '../support/hls-bench.ts';
import { media } from '../../scripts/faultd.d/media.ts';

const run = promisify(execFile);

/** What a player makes of an address: one hash over every packet of picture and sound. */
async function fingerprint(url: string): Promise<string> {
  const args = ['-v', 'error', '-nostdin', '-i', url, '-map', '0', '-c', 'copy', '-f', 'md5', '-'];
  const { stdout } = await run('ffmpeg', args, { timeout: 15_000 });
  return stdout.trim();
}

describe('HLS formats', () => {
  const formats = ['ts', 'fmp4', 'aes', 'byterange', 'master'] as const;

  it.each(formats)('brings every packet of a film to the player: %s', async (format) => {
    const { hls } = await media();
    await using provider = await startFakeProvider({ '/film/': folder(hls[format]) });
    await using penstock = await startHls();
    const id = await penstock.create(provider.url('/film/index.m3u8'));
    expect(await fingerprint(penstock.playlistUrl(id))).toBe(
      await fingerprint(provider.url('/film/index.m3u8')),
    );
  });

  it('plays under a prefix as without it', async () => {
    const { hls } = await media();
    await using provider = await startFakeProvider({ '/film/': folder(hls.aes) });
    await using penstock = await startHls();
    const id = await penstock.create(provider.url('/film/index.m3u8'));
    const prefixed = `${penstock.base}/m3u-proxy/hls/${id}/playlist.m3u8`;
    expect(await fingerprint(prefixed)).toBe(await fingerprint(penstock.playlistUrl(id)));
  });
});
