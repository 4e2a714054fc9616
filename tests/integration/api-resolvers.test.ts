import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { egressFrom } from '#upstream';
import type { Egress } from '#upstream';
import { cookieFilesIn } from '../../services/adapters/fs/cookie-files.ts';
import { guardPage } from '../../services/adapters/http/page-guard.ts';
import { YtdlpMetadataReader } from '../../services/adapters/programs/ytdlp.ts';
import type { YtdlpOptions } from '../../services/adapters/programs/ytdlp.ts';
import { startApi } from '../support/api-under-test.ts';

const PAGE = 'http://user:secret@videos.example/watch?v=1&list=2';
let folder: string;
let cookies: string;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'penstock-resolvers-')));
  cookies = join(folder, 'cookies');
  await mkdir(join(cookies, 'sub'), { recursive: true });
  await writeFile(join(cookies, 'site.txt'), '# Netscape HTTP Cookie File\n');
  await writeFile(join(folder, 'elsewhere.txt'), '');
  await symlink(join(folder, 'elsewhere.txt'), join(cookies, 'way-out.txt'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A program in yt-dlp's place: it reads what it was told, and does as `body` says. */
async function standIn(body: string): Promise<string> {
  const path = join(folder, `yt-dlp-${Math.random().toString(36).slice(2)}`);
  const head = `#!${process.execPath}\nconst told = require('fs').readFileSync(0, 'utf8');\n`;
  await writeFile(path, `${head}const args = process.argv.slice(2);\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

const guardInPublic = (page: string, isProxied: boolean): Promise<void> =>
  guardPage(page, { allowPrivate: false, isProxied });
const ANYWHERE = { guard: async () => {}, egress: undefined, deadlineMs: 5_000 };

const startWith = (program: string | undefined, more: Partial<YtdlpOptions> = {}) =>
  startApi({
    resolvers: {
      isOn: { streamlink: true, ytdlp: true },
      cookies: cookieFilesIn(cookies),
      ...(program === undefined
        ? {}
        : { metadata: new YtdlpMetadataReader({ program, ...ANYWHERE, ...more }) }),
    },
  });

const ECHO = `console.log(JSON.stringify({ args, told: told.trim().split('\\n') }))`;

describe('POST /ytdlp/metadata', () => {
  it('asks yt-dlp, and shows no process list what', async () => {
    await using api = await startWith(await standIn(ECHO));
    const json = { url: PAGE, format: "best[height<='720']", flat_playlist: false };
    const { status, body } = await api.call('POST', '/ytdlp/metadata', { json });
    expect(status).toBe(200);
    expect(body.args).toEqual(['--ignore-config', '--config-locations', '-']);
    expect(body.told).toEqual([
      "'--dump-json'",
      "'--no-download'",
      "'--no-warnings'",
      "'--no-cache-dir'",
      `'--format=best[height<='"'"'720'"'"']'`,
      "'--proxy='",
      `'${PAGE}'`,
    ]);
  });

  it.each([
    ['by its address', 'http://127.0.0.1:9/page'],
    ['by where its name leads', 'http://localhost:9/page'],
  ])('is not asked of a page that may not be reached, %s', async (_how, url) => {
    await using api = await startWith(await standIn(ECHO), { guard: guardInPublic });
    const { status, body } = await api.call('POST', '/ytdlp/metadata', { json: { url } });
    expect([status, body.code]).toEqual([422, 'UPSTREAM_TARGET_FORBIDDEN']);
  });

  it('goes the way of the installation, or not at all, and sees nothing of ours', async () => {
    const see = `console.log(JSON.stringify({ told, seen: Object.keys(process.env) }))`;
    const program = await standIn(see);
    const ask = async (egress: Egress | undefined) => {
      await using api = await startWith(program, { egress });
      return await api.call('POST', '/ytdlp/metadata', { json: { url: PAGE } });
    };
    vi.stubEnv('API_TOKEN', 'secret');
    const { body } = await ask(egressFrom('http://way:secret@proxy.example:3128', undefined));
    vi.unstubAllEnvs();
    expect(body.told).toContain("'--proxy=http://way:secret@proxy.example:3128'");
    expect(body.seen).toContain('PATH');
    expect(body.seen).not.toContain('API_TOKEN');
    const refused = await ask(egressFrom('http://hop.example/?u={url_encoded}', undefined));
    expect([refused.status, refused.body.code]).toEqual([502, 'EGRESS_FAILED']);
  });

  it('names the entries of a list', async () => {
    const program = await standIn(`console.log('{"id":"1"}\\n{"id":"2"}')`);
    await using api = await startWith(program);
    const json = { url: PAGE, flat_playlist: true };
    const { body } = await api.call('POST', '/ytdlp/metadata', { json });
    expect(body).toEqual({ entries: [{ id: '1' }, { id: '2' }] });
  });

  it('takes cookies from the folder for them, and from nowhere else', async () => {
    await using api = await startWith(await standIn(ECHO));
    const ask = (path: string) =>
      api.call('POST', '/ytdlp/metadata', { json: { url: PAGE, cookies_path: path } });
    const site = join(cookies, 'site.txt');
    expect((await ask(site)).body.told).toContain(`'--cookies=${site}'`);
    for (const path of ['/etc/passwd', `${cookies}/../elsewhere.txt`, join(cookies, 'none.txt')]) {
      const { status, body } = await ask(path);
      expect({ status, code: body.code }).toEqual({ status: 400, code: 'COOKIES_FILE_INVALID' });
    }
  });

  it.each([
    [
      'refuses',
      `console.error('ERROR: Unsupported URL: ${PAGE}'); process.exit(1)`,
      422,
      'PROGRAM_FAILED',
    ],
    ['answers no JSON', `console.log('secret {')`, 422, 'PROGRAM_FAILED'],
    ['answers nothing', '', 422, 'PROGRAM_FAILED'],
    ['hangs', 'setInterval(() => {}, 1000)', 504, 'PROGRAM_TIMEOUT'],
  ])('says so when yt-dlp %s', async (_how, body, status, code) => {
    await using api = await startWith(await standIn(body), { deadlineMs: 1_500 });
    const reply = await api.call('POST', '/ytdlp/metadata', { json: { url: PAGE } });
    expect({ status: reply.status, code: reply.body.code }).toEqual({ status, code });
    expect(reply.text).not.toContain('secret');
  });

  it.each([
    ['is not installed', '/nowhere/yt-dlp', 503, 'PROGRAM_MISSING'],
    ['is turned off', undefined, 400, 'PROGRAM_DISABLED'],
  ])('says so when yt-dlp %s', async (_how, program, status, code) => {
    await using api = await startWith(program);
    const reply = await api.call('POST', '/ytdlp/metadata', { json: { url: PAGE } });
    expect({ status: reply.status, code: reply.body.code }).toEqual({ status, code });
  });

  it('runs two at a time', async () => {
    await using api = await startWith(await standIn(`setTimeout(() => console.log('{}'), 500)`));
    const ask = () => api.call('POST', '/ytdlp/metadata', { json: { url: PAGE } });
    const replies = await Promise.all([ask(), ask(), ask()]);
    const statuses = replies.map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 200, 503]);
    expect(replies.find(({ status }) => status === 503)?.headers.get('retry-after')).toBe('5');
  });

  it.each([
    ['no URL', {}],
    ['a file', { url: 'file:///etc/passwd' }],
    ['an option', { url: '--exec=id' }],
    ['a path of two lines', { url: PAGE, cookies_path: '/a\n--exec=id' }],
    ['a relative path', { url: PAGE, cookies_path: 'site.txt' }],
    ['a format of two lines', { url: PAGE, format: 'a\n--exec=id' }],
  ])('refuses %s', async (_what, json) => {
    await using api = await startWith(await standIn(ECHO));
    expect((await api.call('POST', '/ytdlp/metadata', { json })).status).toBe(422);
  });
});

describe('GET /validate-cookies-file', () => {
  it.each([
    ['a file of the folder', () => join(cookies, 'site.txt'), true, 'can be read'],
    ['no file', () => join(cookies, 'none.txt'), false, 'no such file'],
    ['a folder', () => join(cookies, 'sub'), false, 'cannot be read'],
    ['a link that leads out', () => join(cookies, 'way-out.txt'), false, 'does not lead'],
    ['a path that climbs out', () => `${cookies}/../elsewhere.txt`, false, 'does not lead'],
    ['a file elsewhere', () => '/etc/passwd', false, 'does not lead'],
    ['nothing elsewhere', () => '/etc/there-is-none', false, 'does not lead'],
    ['a path with a nought in it', () => `${cookies}/a\0b`, false, 'no such file'],
    ['blanks', () => '  ', false, 'no path'],
  ])('judges %s', async (_what, path, valid, message) => {
    await using api = await startWith(undefined);
    const query = encodeURIComponent(path());
    const { status, body } = await api.call('GET', `/validate-cookies-file?path=${query}`);
    expect({ status, valid: body.valid }).toEqual({ status: 200, valid });
    expect(body.message).toContain(message);
  });

  it('says so where there is no folder', async () => {
    await using api = await startApi();
    const { body } = await api.call('GET', '/validate-cookies-file?path=/etc/passwd');
    expect(body).toMatchObject({ valid: false, message: expect.stringContaining('COOKIES_DIR') });
  });
});
