import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { answer, folder, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
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

  it('brings a film to the player whose addresses are made of variables', async () => {
    const { hls } = await media();
    const list = await readFile(join(hls.ts, 'index.m3u8'), 'utf8');
    const names = '#EXT-X-DEFINE:IMPORT="dir"\n#EXT-X-DEFINE:QUERYPARAM="end"\n';
    const body = `#EXTM3U\n${names}${list.replace(/^#EXTM3U\n/, '').replaceAll(/^([^#\n]+)\.ts$/gm, '/{$dir}/$1.{$end}')}`;
    await using provider = await startFakeProvider({
      '/film/': folder(hls.ts),
      '/m.m3u8': answer(() => ({
        body: '#EXTM3U\n#EXT-X-DEFINE:NAME="dir",VALUE="film"\n#EXT-X-STREAM-INF:BANDWIDTH=1000000\nv.m3u8?end=ts\n',
      })),
      '/v.m3u8': answer(() => ({ body })),
    });
    await using penstock = await startHls();
    const id = await penstock.create(provider.url('/m.m3u8'));
    expect(await fingerprint(penstock.playlistUrl(id))).toBe(
      await fingerprint(provider.url('/film/index.m3u8')),
    );
    expect(body).toMatch(/^\/\{\$dir\}\/.*\{\$end\}$/m);
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
