import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, folder, startFakeProvider, text } from '../../scripts/faultd.d/fake-provider.ts';
import type { Routes } from '../../scripts/faultd.d/fake-provider.ts';
import { eventually } from '../support/processes.ts';
import { useProduct } from '../support/use-product.ts';

const run = promisify(execFile);
const KEY = 'a-key-for-dash';
const TYPE = 'application/dash+xml';
const stage = useProduct({
  env: {
    DELIVERY_ACCESS: 'key',
    STREAM_KEYS: `Kitchen=${KEY}`,
    CLIENT_TIMEOUT: '3',
    LOG_LEVEL: 'debug',
  },
});

let film = '';

beforeAll(async () => {
  film = await mkdtemp(join(tmpdir(), 'penstock-dash-'));
  const input = ['-v', 'error', '-nostdin', '-i', stage.media.main, '-t', '6', '-map', '0:v'];
  const output = [
    '-map',
    '0:a',
    '-c',
    'copy',
    '-bsf:a',
    'aac_adtstoasc',
    '-tag:v',
    'avc1',
    '-tag:a',
    'mp4a',
  ];
  await run('ffmpeg', [
    ...input,
    ...output,
    '-seg_duration',
    '1',
    '-f',
    'dash',
    join(film, 'index.mpd'),
  ]);
}, 60_000);

afterAll(() => rm(film, { recursive: true, force: true }));

/** What a player makes of an address: one hash over every packet of picture and sound. */
async function fingerprint(url: string): Promise<string> {
  const args = ['-v', 'error', '-nostdin', '-i', url, '-map', '0', '-c', 'copy', '-f', 'md5', '-'];
  const { stdout } = await run('ffmpeg', args, { timeout: 30_000 });
  return stdout.trim();
}

const manifestUrl = (id: string, query = ''): string =>
  `${stage.product.url}/dash/${id}/manifest.mpd?stream_key=${KEY}${query}`;

async function start(routes: Routes, backup?: string) {
  const provider = await startFakeProvider({ '/film/': folder(film), ...routes });
  const url = provider.url('/film/index.mpd');
  const created = async (source = url): Promise<string> => {
    const failover = backup === undefined ? {} : { failover_urls: [provider.url(backup)] };
    return stage.product.api.createStream({ url: source, ...failover });
  };
  return {
    provider,
    url,
    created,
    [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose](),
  };
}

/** The folder that the first `BaseURL` of a manifest leads to. */
async function folderIn(url: string): Promise<string> {
  const manifest = await (await fetch(url)).text();
  const [, base] = /<BaseURL>([^<]+)<\/BaseURL>/.exec(manifest) ?? [];
  if (base === undefined) throw new Error(`There is no BaseURL in ${manifest}`);
  return base;
}

const clientsOf = async (id: string) => {
  const { body } = await stage.product.api.get(`/streams/${id}`);
  return body['clients'] as { client_id: string; username: string }[];
};

describe('a DASH stream', () => {
  it('brings every packet to the player, who is counted and named by its key', async () => {
    await using dash = await start({});
    const { body } = await stage.product.api.post('/streams', { url: dash.url });
    const id = String(body['stream_id']);
    expect(body).toMatchObject({
      stream_type: 'dash',
      stream_endpoint: `/dash/${id}/manifest.mpd`,
      playlist_url: `/dash/${id}/manifest.mpd`,
    });
    const played = await fingerprint(manifestUrl(id, '&client_id=it%27s/me'));
    expect(played).toBe(await fingerprint(dash.url));
    expect(await clientsOf(id)).toMatchObject([{ client_id: "it's/me", username: 'Kitchen' }]);
    await eventually('the viewer has left', async () => (await clientsOf(id)).length === 0, 15_000);
    const told = (): string[] =>
      stage.sink.delivered
        .filter((event) => event.stream_id === id)
        .map((event) => event.event_type);
    await eventually('all is told', () => told().includes('stream_stopped'), 10_000);
    expect(told()).toEqual([
      'stream_started',
      'client_connected',
      'client_disconnected',
      'stream_stopped',
    ]);
  });

  it('shows nothing of its source, and is asked once for all', async () => {
    await using dash = await start({});
    const id = await dash.created();
    const answers = await Promise.all(
      ['a', 'b', 'c'].map((name) => fetch(manifestUrl(id, `&client_id=${name}`))),
    );
    for (const one of answers) {
      expect(one.headers.get('content-type')).toBe(TYPE);
      expect(one.headers.get('access-control-allow-origin')).toBe('*');
      const manifest = await one.text();
      expect(manifest).not.toContain(new URL(dash.url).host);
      expect(manifest).not.toContain(KEY);
      expect(manifest).toContain('init-stream$RepresentationID$.m4s');
    }
    expect(dash.provider.requests.filter(({ path }) => path === '/film/index.mpd')).toHaveLength(1);
  });

  it('gives segments whole and in parts, with the types of DASH, fetched once', async () => {
    await using dash = await start({});
    const base = await folderIn(manifestUrl(await dash.created()));
    const whole = await fetch(`${base}init-stream0.m4s`);
    expect(whole.headers.get('content-type')).toBe('video/iso.segment');
    const bytes = Buffer.from(await whole.arrayBuffer());
    expect(bytes).toEqual(await readFile(join(film, 'init-stream0.m4s')));
    const part = await fetch(`${base}init-stream0.m4s`, { headers: { Range: 'bytes=4-7' } });
    expect([part.status, await part.text()]).toEqual([206, 'ftyp']);
    expect((await fetch(`${base}missing.m4s`)).status).toBe(404);
    const head = await fetch(`${base}init-stream0.m4s`, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(bytes.length));
    const asked = dash.provider.requests.filter(({ path }) => path.endsWith('init-stream0.m4s'));
    expect(asked).toHaveLength(1);
  });

  it('gives the manifest of the next source when one cannot be had', async () => {
    await using dash = await start(
      {
        '/gone/index.mpd': text('', 'text/plain', { status: 503 }),
        '/page/index.mpd': text('<html></html>', 'text/html'),
      },
      '/film/index.mpd',
    );
    for (const failing of ['/gone/index.mpd', '/page/index.mpd']) {
      const id = await dash.created(dash.provider.url(failing));
      const base = await folderIn(manifestUrl(id));
      expect((await fetch(`${base}init-stream0.m4s`)).status).toBe(200);
      const { body } = await stage.product.api.get(`/streams/${id}`);
      expect(body['stream']).toMatchObject({ current_failover_index: 0, stream_type: 'DASH' });
    }
  });

  it('answers with a real error when no source gives a manifest', async () => {
    await using dash = await start({ '/gone/index.mpd': text('', 'text/plain', { status: 404 }) });
    const id = await dash.created(dash.provider.url('/gone/index.mpd'));
    expect((await fetch(manifestUrl(id))).status).toBe(502);
  });

  it('opens no link that was tampered with, is of another viewer, or leads elsewhere', async () => {
    await using dash = await start({ '/secret.txt': text('secret', 'text/plain') });
    const id = await dash.created();
    const base = await folderIn(manifestUrl(id, '&client_id=mine'));
    const name = 'init-stream0.m4s';
    const [front = '', part = ''] = /^(.*\/segment\/)([^/]+)\/$/.exec(base)?.slice(1) ?? [];
    const [handle = '', viewer = '', ...pass] = part.split('.');
    const other = Buffer.from('other').toString('base64url');
    const turned = handle.slice(0, -4) + (handle.endsWith('AAAA') ? 'BBBB' : 'AAAA');
    const refused = [
      `${front}${[turned, viewer, ...pass].join('.')}/${name}`,
      `${front}${[handle, other, ...pass].join('.')}/${name}`,
      `${front}${handle}.${viewer}/${name}`,
      `${front}${handle}/${name}`,
      `${base}%252e%252e/secret.txt`,
      `${base}..%2fsecret.txt`,
      `${base}..%5csecret.txt`,
    ];
    expect((await fetch(`${base}${name}`)).status).toBe(200);
    for (const url of refused) expect([url, (await fetch(url)).status]).toEqual([url, 403]);
    const file = `${stage.product.url}/dash/${id}/file`;
    const asFile = `${file}?h=${handle}&client_id=mine&s=${pass.join('.')}`;
    expect((await fetch(asFile)).status).toBe(403);
    expect((await fetch(`${file}?url=http://127.0.0.1/&stream_key=${KEY}`)).status).toBe(422);
    expect((await fetch(manifestUrl(id).split('?', 1)[0] ?? '')).status).toBe(401);
    expect(dash.provider.requests.map(({ path }) => path)).not.toContain('/secret.txt');
    expect(stage.product.output()).not.toContain(handle);
  });

  it('leads to files that are named by themselves, with the query that the source wrote', async () => {
    const list =
      '<MPD type="static"><Period><SegmentList><SegmentURL media="/one.mp4?token=7&amp;x=1"/></SegmentList></Period></MPD>';
    const tellQuery = answer(({ url }) => ({
      body: url,
      headers: { 'content-type': 'video/mp4' },
    }));
    await using dash = await start({ '/l/a.mpd': text(list, TYPE), '/one.mp4': tellQuery });
    const id = await dash.created(dash.provider.url('/l/a.mpd'));
    const manifest = await (await fetch(manifestUrl(id))).text();
    const link = /media="([^"]+)"/.exec(manifest)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const file = await fetch(link);
    expect(file.headers.get('content-type')).toBe('video/mp4');
    expect(await file.text()).toBe('/one.mp4?token=7&x=1');
  });

  it('sends players of /stream to its manifest', async () => {
    await using dash = await start({});
    const id = await dash.created();
    const url = `${stage.product.url}/stream/${id}?stream_key=${KEY}`;
    const moved = await fetch(url, { redirect: 'manual' });
    expect(moved.status).toBe(302);
    expect(moved.headers.get('location')).toBe(`../dash/${id}/manifest.mpd?stream_key=${KEY}`);
  });
});
