import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { liveTs, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { COMPILE_CACHE } from '../support/compile-cache.ts';
import { freePort } from '../support/product.ts';
import { useProduct } from '../support/use-product.ts';
import { watch } from '../support/viewer.ts';
import { startWebhookSink } from '../support/webhook-sink.ts';

const ENTRY = fileURLToPath(new URL('../../scripts/penstock.d/main.ts', import.meta.url));
const TOKEN = 'a-token-for-the-cli';
const DEADLINE_MS = 10_000;
const stage = useProduct({ env: { API_TOKEN: TOKEN } });

type Ran = { readonly code: number; readonly out: string; readonly err: string };

const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  PENSTOCK_URL: stage.product.url,
  PENSTOCK_TOKEN: TOKEN,
  ...COMPILE_CACHE,
});

function penstock(args: readonly string[], { input = '', env = {} } = {}): Promise<Ran> {
  const options = { timeout: DEADLINE_MS, env: { ...environment(), ...env } };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [ENTRY, ...args], options, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
    child.stdin?.end(input);
  });
}

/** The answer itself. */
async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await penstock([...args, '--json']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out);
}

describe('penstock on the command line', () => {
  it('creates, shows, fails over and deletes a stream, and shows no password in tables', async () => {
    await using provider = await startFakeProvider({
      '/one.ts': liveTs(stage.main),
      '/two.ts': liveTs(stage.other),
    });
    const first = provider.url('/one.ts?password=swordfish');
    const sources = [first, '--failover', provider.url('/two.ts')];
    const said = ['--meta', 'id=7', 'type=channel', '--header', 'X-Device: box'];
    const created = await json('create', ...sources, ...said);
    const id = String(created['stream_id']);
    expect(created).toMatchObject({ metadata: { id: '7', type: 'channel' } });
    await using viewer = watch(`${stage.product.url}/stream/${id}?client_id=seven`);
    await viewer.reached(20_000);

    const [list, info, clients] = await Promise.all(
      [['list', '--active'], ['info', id], ['clients']].map((args) => penstock(args)),
    );
    for (const told of [list, info, clients]) {
      expect(told).toMatchObject({ code: 0, err: '', out: expect.stringContaining(id) });
      expect(told?.out).not.toContain('swordfish');
    }
    expect(clients?.out).toContain('seven');

    expect(await json('failover', id)).toMatchObject({ failover_index: 0, active_clients: 1 });
    expect(await json('clients', 'kick', id, 'seven')).toMatchObject({ removed: true });
    expect(await penstock(['clients', 'kick', id, 'seven'])).toMatchObject({ code: 4, out: '' });
    expect(await penstock(['delete', id])).toMatchObject({ code: 0, out: 'Stream deleted\n' });
    const gone = await penstock(['info', id, '--json']);
    expect(gone).toMatchObject({ code: 4, out: '' });
    expect(JSON.parse(gone.err)).toMatchObject({ code: 'STREAM_NOT_FOUND', status: 404 });
  });

  it('keeps profiles, and registers streams that are made with them', async () => {
    const template = '-i {input_url} -c copy -f mpegts {output_args}';
    const made = await json('profiles', 'save', 'as-is', '--template', template);
    expect(made).toMatchObject({ name: 'as-is', parameters: template, built_in: false });
    const list = await penstock(['profiles']);
    expect(list.out).toMatch(/^as-is +no/m);
    expect(list.out).toMatch(/^default +yes/m);
    const shown = await penstock(['profiles', 'show', 'as-is']);
    expect(shown.out).toContain(template);
    const source = ['http://provider.example/1.ts', '--profile', 'as-is', '--meta', 'id=8'];
    const stream = await json('transcode', ...source, '--variable', 'a=b');
    expect(stream).toMatchObject({ profile: 'as-is', stream_type: 'transcoded' });
    const page = [
      'http://video.example/x',
      '--page',
      'streamlink',
      '--page-args',
      'best --exec id',
    ];
    expect(await penstock(['transcode', ...page])).toMatchObject({
      code: 1,
      err: expect.stringContaining('(RESOLVER_ARGS_REFUSED)'),
    });
    expect(await penstock(['profiles', 'remove', 'as-is'])).toMatchObject({ code: 0 });
    expect(await penstock(['profiles', 'show', 'as-is'])).toMatchObject({ code: 4 });
    expect(await penstock(['profiles', 'save', 'none'])).toMatchObject({ code: 2 });
  });

  it('reads a whole body from standard input, so that no process list has its URLs', async () => {
    const body = { url: 'http://127.0.0.1:9/from-input.ts', metadata: { group: 'cli' } };
    const created = await penstock(['create', '--from', '-', '--sharing', 'shared', '--json'], {
      input: JSON.stringify(body),
    });
    const { stream_id: id } = JSON.parse(created.out);
    expect(await json('by-metadata', 'list', 'group', 'cli')).toMatchObject({
      matching_streams: [{ stream_id: id }],
    });
    expect(await json('by-metadata', 'count', 'group', 'cli', 'other')).toMatchObject({
      counts: { cli: 1, other: 0 },
    });
    expect(await json('by-metadata', 'delete-oldest', 'group', 'nobody')).toMatchObject({
      deleted_count: 0,
    });
    expect(await json('by-metadata', 'delete', 'group', 'cli', '--idle-only')).toMatchObject({
      deleted_streams: [id],
    });
  });

  it('registers, tests and removes webhooks', async () => {
    await using sink = await startWebhookSink();
    await json('webhooks', 'add', sink.url, '--event', 'stream_started', '--retries', '0');
    expect(await json('webhooks')).toMatchObject({
      webhooks: expect.arrayContaining([
        expect.objectContaining({ url: sink.url, events: ['stream_started'], retry_attempts: 0 }),
      ]),
    });
    expect(await json('webhooks', 'test', sink.url)).toMatchObject({ delivered: true });
    sink.behave(500);
    expect(await penstock(['webhooks', 'test', sink.url])).toMatchObject({
      code: 1,
      err: 'penstock: It did not arrive\n',
    });
    expect((await penstock(['webhooks', 'remove', sink.url])).code).toBe(0);
    expect((await penstock(['webhooks', 'remove', sink.url])).code).toBe(4);
  });

  it('starts, shows, stops and deletes a network', async () => {
    await using provider = await startFakeProvider({ '/live.ts': liveTs(stage.main) });
    const url = provider.url('/live.ts?password=swordfish');
    const started = await json('networks', 'start', 'by-hand', url, '--segment', '1', '--record');
    expect(started).toMatchObject({ network_id: 'by-hand', status: 'running' });
    const { out } = await penstock(['networks']);
    expect(out).toMatch(/^by-hand +running, recording/m);
    expect(out).not.toContain('swordfish');
    expect((await penstock(['networks', 'status', 'by-hand'])).out).toMatch(/^state +running$/m);
    expect(await json('networks', 'stop', 'by-hand')).toMatchObject({ status: 'stopped' });
    expect((await penstock(['networks', 'delete', 'by-hand'])).code).toBe(0);
    expect((await penstock(['networks', 'status', 'by-hand'])).code).toBe(4);
    expect((await penstock(['networks', 'start', 'by-hand'])).code).toBe(2);
  });

  it('says how the service does, and whether it reaches an address', async () => {
    const [stats, health, reached, dead] = await Promise.all([
      penstock(['stats']),
      penstock(['health']),
      penstock(['test-connection', `${stage.product.url}/healthz`]),
      penstock(['test-connection', 'http://127.0.0.1:9/']),
    ]);
    expect(stats).toMatchObject({ code: 0, out: expect.stringMatching(/^viewers +\d+$/m) });
    expect(health).toMatchObject({ code: 0, out: expect.stringMatching(/^status +healthy$/m) });
    expect(reached.code).toBe(0);
    expect(dead).toMatchObject({ code: 1, err: 'penstock: It cannot be reached\n' });
  });

  it('follows what happens, and ends well on Ctrl-C', async () => {
    const id = await stage.product.api.createStream({ url: 'http://127.0.0.1:9/monitored.ts' });
    const args = [ENTRY, 'monitor', '--json', '--interval', '0.05'];
    const child = spawn(process.execPath, args, { env: environment() });
    const ended = once(child, 'exit');
    const rounds = createInterface(child.stdout)[Symbol.asyncIterator]();
    await rounds.next();
    const { streams } = JSON.parse(String((await rounds.next()).value));
    expect(streams).toContainEqual(
      expect.objectContaining({ stream_id: id, state: 'idle', bytes_per_second: 0 }),
    );
    child.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
    const { code, out } = await penstock(['monitor', '--rounds', '1']);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining(id) });
  });

  it('tells in its exit code why it failed', async () => {
    const wrong = await penstock(['list'], { env: { PENSTOCK_TOKEN: 'wrong' } });
    expect(wrong).toEqual({
      code: 5,
      out: '',
      err: 'penstock: Invalid API token (AUTH_FORBIDDEN)\n',
    });
    const invalid = await penstock(['create', 'ftp://secret@nowhere/']);
    expect(invalid).toMatchObject({ code: 1, err: expect.stringContaining('INPUT_INVALID') });
    expect(invalid.err).not.toContain('secret');
    expect(await penstock(['create'])).toMatchObject({ code: 2, out: '' });
    expect(await penstock(['destroy'])).toMatchObject({ code: 2, out: '' });
    const nobody = await penstock(['list', '--url', `http://127.0.0.1:${await freePort()}`]);
    expect(nobody).toMatchObject({ code: 3, err: expect.stringContaining('ECONNREFUSED') });
  });

  it('waits as long as it is told', async () => {
    const mute = createServer(() => {}).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const url = `http://127.0.0.1:${(mute.address() as AddressInfo).port}`;
    const late = await penstock(['list', '--url', url, '--timeout', '0.1']);
    mute.closeAllConnections();
    mute.close();
    expect(late).toMatchObject({
      code: 3,
      err: `penstock: Cannot reach ${url}: no answer in 0.1 s\n`,
    });
  });
});
