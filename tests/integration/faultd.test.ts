import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { startFaultd } from '../../scripts/faultd.d/serve/faultd.ts';
import { parseScenario } from '../../scripts/faultd.d/scenario/load-scenario.ts';
import { watch } from '../../scripts/faultd.d/watch/watch.ts';
import { ALONE } from '../support/alone.ts';
import { COMPILE_CACHE } from '../support/compile-cache.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../scripts/faultd.d/main.ts', import.meta.url));
const env = { ...process.env, ...COMPILE_CACHE };
const CLIPS = 'clips: { news: {}, card: { picture: inverted, tone: 1000 } }';

const start = (scenario: string) =>
  startFaultd({ scenario: parseScenario(`port: 0\n${CLIPS}\n${scenario}`) });

const LIVE = 'sources: { /a.ts: { live: news } }';

const play = (url: string, seconds: number, options: { decode?: boolean; gap?: number } = {}) =>
  watch(url, {
    seconds,
    gapThresholdMs: options.gap ?? 400,
    decode: options.decode ?? false,
    headers: {},
    isInsecure: true,
  });

describe.concurrent('a viewer of a stream that is well', () => {
  it('finds nothing wrong and decodes every picture', async () => {
    await using faultd = await start(LIVE);
    const report = await play(faultd.provider.url('/a.ts'), 2.5, { decode: true });
    expect(report).toMatchObject({
      status: 200,
      content_type: 'video/mp2t',
      ended: 'time-up',
      gaps: { count: 0 },
      decode: { errors: 0 },
      ts: { continuity_errors: 0, pcr: { backward: 0 }, dts: { backward: 0 }, sync_losses: 0 },
    });
    expect(report.ts?.tables.map(({ table }) => table)).toEqual(['pat', 'pmt']);
    expect(report.decode?.pictures).toBeGreaterThan(40);
    expect(report.first_byte_ms).toBeLessThan(1_000);
    expect(faultd.stats()).toMatchObject({
      total: { requests: 1, max_open: 1 },
      sources: { '/a.ts': { requests: 1 } },
    });
    expect(faultd.stats().total.bytes).toBeGreaterThanOrEqual(report.bytes ?? Infinity);
  });

  it('plays over TLS, and HLS through ffmpeg', async () => {
    await using faultd = await start(
      'tls: true\nsources: { /a.ts: { live: news }, /l/: { hls: news } }',
    );
    const [live, hls] = await Promise.all([
      play(faultd.provider.url('/a.ts'), 1),
      play(faultd.provider.url('/l/index.m3u8'), 4, { decode: true, gap: 2_000 }),
    ]);
    expect(live.ts?.continuity_errors).toBe(0);
    expect(hls).toMatchObject({ ts: null, gaps: { count: 0 }, decode: { errors: 0 } });
    expect(hls.decode?.pictures).toBeGreaterThan(25);
  });

  it('measures a file that is no transport stream by what ffmpeg says', async () => {
    await using faultd = await start('sources: { /a.mp4: { film: news } }');
    const report = await play(faultd.provider.url('/a.mp4'), 5, { decode: true });
    expect(report).toMatchObject({ ended: 'eof', ts: null, decode: { pictures: 200, errors: 0 } });
  });
});

describe.concurrent('a viewer of a stream with faults in time', () => {
  it('sees the stall, the lost packets, the clock that stands and the loop', ALONE, async () => {
    await using faultd = await start(`
clock: first-request
${LIVE}
timeline:
  - at: 1s stall /a.ts for 700ms
  - at: 2s lose-packets 10% /a.ts for 400ms
  - at: 3s loop 1s /a.ts for 2s
`);
    const report = await play(faultd.provider.url('/a.ts'), 5.5);
    expect(report.gaps.count).toBe(1);
    expect(report.gaps.largest_ms).toBeGreaterThan(600);
    expect(report.gaps.list[0]?.at_ms).toBeGreaterThan(700);
    expect(report.ts?.continuity_errors).toBeGreaterThan(2);
    expect(report.ts?.pcr.backward).toBeGreaterThan(0);
  });

  it.each([
    ['stop-pcr /a.ts', (ts: Ts) => ts.pcr.repeated > 8],
    ['damage 50% /a.ts', (ts: Ts) => ts.transport_errors > 100],
    ['scramble /a.ts', (ts: Ts) => ts.scrambled_packets > 100],
    ['lose-audio /a.ts', (ts: Ts) => (ts.pids['257']?.largest_gap_ms ?? 0) > 600],
    ['card card /a.ts', (ts: Ts) => ts.continuity_errors > 0],
  ])('sees %s in a stream under way', async (fault, isSeen) => {
    await using faultd = await start(LIVE);
    const watching = play(faultd.provider.url('/a.ts'), 2);
    await faultd.provider.until(() => faultd.provider.open('/a.ts') === 1);
    await faultd.provider.until(() => (faultd.provider.requests[0]?.sentBytes ?? 0) > 100_000);
    faultd.apply(fault);
    const { ts } = await watching;
    expect(ts && isSeen(ts)).toBe(true);
  });

  it('tells a reset from an end where the body ends with its connection', async () => {
    await using faultd = await start('sources: { /a.ts: { live: news, framing: close } }');
    faultd.apply('reset-after 50kB /a.ts');
    expect(await play(faultd.provider.url('/a.ts'), 2)).toMatchObject({ ended: 'broken-off' });
  });

  it('sees how a stream ends, and what comes instead of one', async () => {
    await using faultd = await start(LIVE);
    const url = faultd.provider.url('/a.ts');
    const ended = async (fault: string) => {
      faultd.apply(fault);
      const { status, ended: how } = await play(url, 2);
      faultd.clear();
      return [status, how];
    };
    expect(await ended('eof-after 50kB /a.ts')).toEqual([200, 'eof']);
    expect(await ended('reset-after 50kB /a.ts')).toEqual([200, 'broken-off']);
    expect(await ended('reset /a.ts for 5s')).toEqual([200, 'broken-off']);
    expect(await ended('status 503 /a.ts')).toEqual([503, 'eof']);
    expect(await ended('slow-headers 9s /a.ts')).toEqual([null, 'no-answer']);
    expect(await ended('redirect-loop /a.ts')).toEqual([null, 'redirect-loop']);
    expect(await ended('not-http /a.ts')).toEqual([null, 'HPE_INVALID_CONSTANT']);
    expect(await ended('refuse * for 5s')).toEqual([null, 'ECONNREFUSED']);
    expect(await ended('throttle 40kB/s /a.ts')).toEqual([200, 'time-up']);
  });

  it('counts silence until it leaves as a gap', async () => {
    await using faultd = await start(LIVE);
    faultd.apply('stall-after 20kB /a.ts');
    const { gaps } = await play(faultd.provider.url('/a.ts'), 1.5);
    expect(gaps).toMatchObject({ count: 1 });
    expect(gaps.total_ms).toBeGreaterThan(900);
  });
});

type Ts = NonNullable<Awaited<ReturnType<typeof watch>>['ts']>;

describe('accounts', () => {
  const ACCOUNTS = `
sources: { /a.ts: { live: news } }
accounts:
  from: /:account
  members:
    al: { connections: 1, answer: 458 }
    bo: { connections: 1, answer: kill-oldest }
    cy: { connections: 1, answer: 509, release: 10s }
`;

  it('refuse one connection too many, each with its own answer, and strangers', async () => {
    await using faultd = await start(ACCOUNTS);
    const url = (account: string) => faultd.provider.url(`/${account}/a.ts`);
    const first = play(url('al'), 1.5);
    await faultd.provider.until(() => faultd.provider.open('/a.ts') === 1);
    expect((await play(url('al'), 1)).status).toBe(458);
    expect((await play(url('stranger'), 1)).status).toBe(401);
    expect(await first).toMatchObject({ status: 200, ended: 'time-up' });
    await faultd.provider.until(() => faultd.provider.open() === 0);
    expect((await play(url('al'), 0.3)).status).toBe(200);
    expect(faultd.stats().accounts['al']).toMatchObject({
      limit: 1,
      requests: 3,
      refused: 1,
      over_limit: 1,
      max_open: 1,
      max_wanted: 2,
    });
  });

  it('give the newest the place of the oldest', async () => {
    await using faultd = await start(ACCOUNTS);
    const url = faultd.provider.url('/bo/a.ts');
    const first = play(url, 3);
    await faultd.provider.until(() => faultd.provider.open('/a.ts') === 1);
    const second = await play(url, 0.5);
    expect([second.status, second.ended]).toEqual([200, 'time-up']);
    expect((await first).ended).toBe('broken-off');
    expect(faultd.stats().accounts['bo']).toMatchObject({ killed: 1, max_open: 1, max_wanted: 2 });
  });

  it('can be slow to notice that somebody left', async () => {
    await using faultd = await start(ACCOUNTS);
    const url = faultd.provider.url('/cy/a.ts');
    await play(url, 0.3);
    await faultd.provider.until(() => faultd.provider.open() === 0);
    expect((await play(url, 0.3)).status).toBe(509);
    expect((await play(url, 0.3)).status).toBe(509);
  });
});

describe('the control addresses', () => {
  it('show what was seen, and set and clear faults', async () => {
    await using faultd = await start(LIVE);
    const ask = async (path: string, init?: RequestInit) => {
      const response = await fetch(faultd.provider.url(`/_faultd/${path}`), init);
      return [response.status, await response.json()] as const;
    };
    const post = (body: string) => ask('faults', { method: 'POST', body });
    const set = [{ fault: 'status 404 /a.ts for 9s', since_ms: 0, left_ms: expect.any(Number) }];
    expect(await post('{"fault": "status 404 /a.ts for 9s"}')).toMatchObject([
      200,
      [{ fault: 'status 404 /a.ts for 9s' }],
    ]);
    expect((await fetch(faultd.provider.url('/a.ts'))).status).toBe(404);
    expect((await ask('faults'))[1]).toMatchObject(set.map(({ fault }) => ({ fault })));
    expect(await ask('stats')).toMatchObject([200, { total: { requests: 1 } }]);
    expect(await ask('faults?path=/a.ts', { method: 'DELETE' })).toEqual([200, { cleared: 1 }]);
    expect(await post('stall /b.ts')).toEqual([400, { error: 'no source is at /b.ts' }]);
    expect(await post('{"fault": 7}')).toMatchObject([400, { error: /expected/ }]);
    expect((await ask('nothing'))[0]).toBe(404);
  });
});

const failed = (...args: readonly string[]) =>
  run(process.execPath, [MAIN, ...args], { env }).then(
    () => undefined,
    ({ code, stderr }: { code: number; stderr: string }) => ({ code, stderr }),
  );

describe.concurrent('the program', () => {
  it('serves a scenario file, watches it, and sums up when it is ended', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'faultd-test-'));
    const scenario = join(folder, 'evening.yaml');
    await writeFile(scenario, `${CLIPS}\n${LIVE}\ntimeline: [{ at: 300ms stall /a.ts for 1ms }]`);
    const server = spawn(process.execPath, [MAIN, scenario, '--port', '0'], { env });
    try {
      const lines = createInterface(server.stdout);
      const [first] = (await once(lines, 'line')) as [string];
      const said: string[] = [];
      lines.on('line', (line) => said.push(line));
      const address = first.replace('faultd listens on ', '');
      const args = [MAIN, 'watch', `${address}/a.ts`, '--seconds', '1', '--json'];
      const { stdout } = await run(process.execPath, args, { env });
      expect(JSON.parse(stdout)).toMatchObject({ status: 200, ts: { continuity_errors: 0 } });
      server.kill('SIGTERM');
      expect(await once(server, 'close')).toEqual([0, null]);
      expect(said.join('\n')).toMatch('stall /a.ts for 1ms');
      expect(said.join('\n')).toMatch('"max_open": 1');
    } finally {
      server.kill('SIGKILL');
      await rm(folder, { recursive: true });
    }
  });

  it('says what is wrong and how to call it', async () => {
    expect(await failed('none.yaml')).toMatchObject({ code: 1, stderr: /cannot be read/ });
    expect(await failed('watch', 'x')).toMatchObject({ code: 2, stderr: /Usage:/ });
  });
});
