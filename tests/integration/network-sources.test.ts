import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FfmpegRemuxer } from '#adapters/ffmpeg/remuxer';
import { MediaDoor } from '#adapters/http/media-door';
import { mediaSourcesOf } from '#adapters/http/media-sources';
import { createTextClient } from '#adapters/http/text-client';
import { createUpstreamClient } from '#adapters/http/upstream-client';
import { HlsInput } from '#conversion';
import { createPlaylistClient } from '#delivery';
import { systemClock, systemTimers } from '#kernel/clock';
import { silentLogger } from '#kernel/logger';
import type { MediaSource, MediaSources } from '#networks';
import {
  resetAfter,
  file,
  folder,
  startFakeProvider,
  status,
  times,
} from '../../scripts/faultd.d/fake-provider.ts';
import type { FakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { media } from '../../scripts/faultd.d/media.ts';
import type { Media } from '../../scripts/faultd.d/media.ts';
import { decode } from '../support/players.ts';

let made: Media;
let provider: FakeProvider;
let door: MediaDoor;
let sources: MediaSources;
const NEVER = new AbortController().signal;

beforeAll(async () => {
  made = await media();
  provider = await startFakeProvider({
    '/film.mkv': file(made.mkv),
    '/unranged.mkv': file(made.mkv, { ranges: false }),
    '/hls/': folder(made.hls.ts),
  });
  door = await MediaDoor.open();
  const guard = { allowPrivate: true, verifyTls: true, maxRedirects: 3 };
  const client = createUpstreamClient(guard);
  const texts = createTextClient(guard);
  const fetch = createPlaylistClient({ texts, maxBytes: 1e6, timeoutMs: 5_000 });
  const remuxer = new FfmpegRemuxer({ program: 'ffmpeg', logger: silentLogger });
  const clocks = { clock: systemClock, timers: systemTimers };
  sources = mediaSourcesOf({
    client,
    playlistReader: () =>
      new HlsInput({ ...clocks, upstream: client, fetch, remuxer, converts: 'all', found() {} }),
    door,
    timeouts: { connectMs: 2_000, headersMs: 5_000 },
    userAgent: 'penstock-test',
  });
});
afterAll(async () => {
  await door.close();
  await provider[Symbol.asyncDispose]();
});

const open = (path: string, headers = {}): Promise<MediaSource> =>
  sources.open({ streamUrl: provider.url(path), headers }, NEVER);

/** What is written to FFmpeg. */
async function fed(source: MediaSource): Promise<Buffer> {
  const input = new PassThrough();
  const parts: Buffer[] = [];
  input.on('data', (part: Buffer) => parts.push(part));
  void source.feed(input);
  await once(input, 'end');
  return Buffer.concat(parts);
}

/** The address of the door. */
async function scriptOf(source: MediaSource): Promise<string> {
  const input = new PassThrough();
  void source.feed(input);
  return (await textOf(input)).trim();
}

const bytesAt = async (url: string, headers = {}): Promise<Buffer> =>
  Buffer.from(await (await fetch(url, { headers })).arrayBuffer());

describe('a file that can be read from any place', () => {
  it('is read through a door whose name cannot be guessed, with the source’s headers', async () => {
    const source = await open('/film.mkv', { 'X-Token': 't' });
    expect(source.kind).toBe('file');
    const url = await scriptOf(source);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}$/);
    const whole = readFileSync(made.mkv);
    expect((await bytesAt(url)).equals(whole)).toBe(true);
    const end = await fetch(url, { headers: { range: 'bytes=1000-' } });
    expect([end.status, end.headers.get('content-range')]).toEqual([
      206,
      `bytes 1000-${whole.length - 1}/${whole.length}`,
    ]);
    expect(Buffer.from(await end.arrayBuffer()).equals(whole.subarray(1000))).toBe(true);
    const asked = provider.requestsOf('/film.mkv').at(-1);
    expect(asked?.headers).toMatchObject({ 'x-token': 't', range: 'bytes=1000-' });
    source.close();
    expect((await fetch(url)).status).toBe(404);
  });

  it('is gone on with at the right byte when it breaks off', async () => {
    const source = await open('/film.mkv');
    const url = await scriptOf(source);
    provider.setFault('/film.mkv', times(2, resetAfter(50_000)));
    expect((await bytesAt(url)).equals(readFileSync(made.mkv))).toBe(true);
    expect(source.failure).toBeUndefined();
    source.close();
  });

  it('begins where the fragment of its address says', async () => {
    const source = await open('/film.mkv#range=5000-');
    const url = await scriptOf(source);
    const rest = readFileSync(made.mkv).subarray(5_000);
    expect((await bytesAt(url)).equals(rest)).toBe(true);
    expect((await bytesAt(url, { range: 'bytes=10-' })).equals(rest.subarray(10))).toBe(true);
    source.close();
  });
});

describe('what comes as it comes', () => {
  it('is written to FFmpeg, every byte of it', async () => {
    const source = await open('/unranged.mkv');
    expect(source.kind).toBe('pipe');
    expect((await fed(source)).equals(readFileSync(made.mkv))).toBe(true);
    expect(source.failure).toBeUndefined();
  });

  it('is the transport stream that a playlist carries, to its end', async () => {
    const source = await open('/hls/index.m3u8');
    expect(source.kind).toBe('pipe');
    const { pictures, complaints } = await decode(await fed(source));
    expect(complaints).toEqual([]);
    expect(pictures).toBe((made.durationMs / 1000) * 25);
  });

  it('has failed when it breaks off', async () => {
    provider.setFault('/unranged.mkv', resetAfter(50_000));
    const source = await open('/unranged.mkv');
    expect((await fed(source)).length).toBeLessThan(60_000);
    expect(source.failure?.code).toMatch(/^UPSTREAM_(?:RESET|TRUNCATED)$/);
    provider.clearFault('/unranged.mkv');
  });
});

it.each([404, 503])('a source that answers %d is told by its status', async (code) => {
  provider.setFault('/refuses', status(code));
  await expect(open('/refuses')).rejects.toMatchObject({
    code: 'UPSTREAM_STATUS',
    message: expect.stringContaining(String(code)),
  });
});
