import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ResolverProgramRunner, foundBy } from '#adapters/programs/resolver-programs';
import { resolverPlanOf } from '#resolve';
import type { ResolveOrder, ResolverName } from '#resolve';
import { hlsLive, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../scripts/faultd.d/media.ts';

const made = await media();
const live = await LoopedTs.open(made.main, made.durationMs);
const folder = await mkdtemp(join(tmpdir(), 'penstock-programs-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

const runner = new ResolverProgramRunner({
  programs: { streamlink: 'streamlink', ytdlp: 'yt-dlp' },
  folder: join(folder, 'runs'),
  mayRead: async () => false,
  verifyTls: true,
});
await runner.open();

const isInstalled = (program: string): boolean =>
  spawnSync(program, ['--version'], { timeout: 10_000 }).status === 0;

const orderFor = (program: ResolverName, url: string): ResolveOrder => ({
  url,
  headers: { 'User-Agent': 'Penstock/1', 'X-Note': "it's = 1" },
  plan: resolverPlanOf({ program, args: 'best', cookies: null, cookiesPath: null }),
  egress: null,
});

/** Where they are installed: what is believed of them is held to what they do. */
describe('the programs themselves', () => {
  it.skipIf(!isInstalled('streamlink'))('Streamlink plays a live playlist', async () => {
    await using provider = await startFakeProvider({ '/hls/': hlsLive(live) });
    const program = await runner.start(orderFor('streamlink', provider.url('/hls/index.m3u8')));
    const [bytes] = (await once(program.output, 'data')) as [Buffer];
    expect(bytes[0]).toBe(0x47);
    expect(provider.requests[0]?.headers).toMatchObject({
      'user-agent': 'Penstock/1',
      'x-note': "it's = 1",
    });
    await program.stop();
    expect(await readdir(join(folder, 'runs'))).toEqual([]);
  });

  it.skipIf(!isInstalled('streamlink'))('Streamlink says why it cannot', async () => {
    await using provider = await startFakeProvider({});
    const gone = await runner.start(orderFor('streamlink', provider.url('/none.m3u8')));
    gone.output.resume();
    expect(await gone.ended).toBe('no_media');
    const other = await runner.start(orderFor('streamlink', provider.url('/page')));
    other.output.resume();
    expect(await other.ended).toBe('unsupported');
  });

  it.skipIf(!isInstalled('yt-dlp'))('yt-dlp finds the playlist of a page', async () => {
    await using provider = await startFakeProvider({ '/hls/': hlsLive(live) });
    const url = provider.url('/hls/index.m3u8');
    const program = await runner.start(orderFor('ytdlp', url));
    const parts = await program.output.toArray();
    expect(await program.ended).toBeNull();
    const found = JSON.parse(foundBy(Buffer.concat(parts as Buffer[]).toString()));
    expect(found).toMatchObject({ inputs: [{ url, isPlaylist: true }] });
    expect(provider.requests[0]?.headers['x-note']).toBe("it's = 1");
  });
});

describe('a program that is not there', () => {
  it('is named so', async () => {
    const programs = { streamlink: '/nowhere/streamlink', ytdlp: '/nowhere/yt-dlp' };
    const other = join(folder, 'others');
    const absent = new ResolverProgramRunner({
      programs,
      folder: other,
      mayRead: async () => false,
      verifyTls: true,
    });
    await absent.open();
    const program = await absent.start(orderFor('streamlink', 'http://h/x'));
    program.output.resume();
    expect(await program.ended).toBe('program_missing');
    expect(await readdir(other)).toEqual([]);
    await absent.close();
  });
});
