import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { asStreamId } from '#kernel/ids';
import { liveTs, startFakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import type { FakeProvider } from '../../scripts/faultd.d/fake-provider.ts';
import { LoopedTs } from '../../scripts/faultd.d/looped-ts.ts';
import { media } from '../../scripts/faultd.d/media.ts';
import { ALONE } from '../support/alone.ts';
import { toneAtEnd } from '../support/players.ts';
import { eventually } from '../support/processes.ts';
import type { FoundProcess } from '../support/processes.ts';
import { startRuns } from '../support/run-bench.ts';
import { complaintsOf, wholePictures } from '../support/whole-pictures.ts';

const NVENC = { kind: 'nvenc', device: undefined } as const;
const SOFTWARE = { kind: 'software', device: undefined } as const;
const WITH_DEVICE = { hardware: [NVENC, SOFTWARE], capacity: { gpu: 1, cpu: 1 } } as const;
const A_SECOND = 30_000;
const MIB = 1024 * 1024;
const PATIENCE_MS = 15_000;

let folder = '';
let provider: FakeProvider;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-standins-'));
  const { main, other, durationMs } = await media();
  provider = await startFakeProvider({
    '/a.ts': liveTs(await LoopedTs.open(main, durationMs)),
    '/b.ts': liveTs(await LoopedTs.open(other, durationMs)),
    '/c.ts': liveTs(await LoopedTs.open(main, durationMs)),
  });
});
afterAll(async () => {
  await provider[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** A program in place of FFmpeg. */
async function standIn(name: string, body: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

/** FFmpeg on a machine with a device: what it is told to do with NVENC, libx264 does. */
const ON_DEVICE = `skip=
for a; do
  shift
  if [ -n "$skip" ]; then skip=; continue; fi
  case $a in
    -hwaccel|-forced-idr|-zerolatency) skip=1; continue;;
    ull) a=zerolatency;;
    h264_nvenc) a=libx264;;
  esac
  set -- "$@" "$a"
done
exec ffmpeg "$@"`;

type Bench = Awaited<ReturnType<typeof startRuns>>;

const runsOf = ({ desk }: Bench, id: string) => desk.runsOf(asStreamId(id));
const reasonsOf = (bench: Bench, id: string) => runsOf(bench, id).map(({ reason }) => reason);

const noneIsLeft = (bench: Bench): Promise<void> =>
  eventually('no FFmpeg is left', () => bench.ffmpegs().length === 0);

// A bench each; they wait for FFmpeg, and for what it takes a while to tell.
vi.setConfig({ maxConcurrency: 3 });

describe.concurrent('a run', () => {
  it('is one for all who come in one tick, and goes on over a failover of the source', async () => {
    await using bench = await startRuns();
    const failoverUrls = [provider.url('/b.ts')];
    const first = await bench.watch(provider.url('/a.ts'), {}, { failoverUrls });
    const others = Array.from({ length: 19 }, () => bench.join(first.id));
    await Promise.all([first, ...others].map((viewer) => viewer.reached(A_SECOND, PATIENCE_MS)));
    expect(bench.asked).toHaveLength(1);
    const running = (): readonly FoundProcess[] =>
      bench.ffmpegs().filter(({ command }) => command.startsWith('ffmpeg '));
    const [ffmpeg] = running();
    expect(running()).toHaveLength(1);
    await bench.playback.registry.failover(asStreamId(first.id));
    await first.more(4 * A_SECOND, PATIENCE_MS);
    expect(running()).toEqual([ffmpeg]);
    expect(bench.asked).toHaveLength(1);
    for (const viewer of [first, ...others]) viewer.leave();
    await noneIsLeft(bench);
    expect(await complaintsOf(first.body())).toEqual([]);
    expect(await toneAtEnd(wholePictures(first.body()))).toBeGreaterThan(900);
    expect(reasonsOf(bench, first.id)).toEqual([null]);
  });

  it('is handed over by a worker that drains, spliced', async () => {
    await using bench = await startRuns({ workers: [{}, {}] });
    await using viewer = await bench.watch(provider.url('/a.ts'));
    await viewer.reached(A_SECOND, PATIENCE_MS);
    const [one, other] = bench.rigs;
    expect(one?.taken).toHaveLength(1);
    await one?.drain();
    await viewer.more(3 * A_SECOND, PATIENCE_MS);
    expect(other?.taken).toHaveLength(1);
    expect(reasonsOf(bench, viewer.id)).toEqual(['drained', null]);
    viewer.leave();
    expect(await complaintsOf(viewer.body())).toEqual([]);
    expect(viewer.largestGapMs).toBeLessThan(8_000);
  });

  it(
    'leaves no process, no file and no place, begun and ended 50 times',
    { ...ALONE, timeout: 40_000 },
    async () => {
      const program = await standIn('passes', 'exec cat');
      await using bench = await startRuns({ workers: [{ program, capacity: { slots: 10 } }] });
      for (let round = 0; round < 5; round += 1) {
        const viewers = await Promise.all(
          Array.from({ length: 10 }, (_, at) =>
            bench.watch(`${provider.url('/a.ts')}?n=${at}`, { profile: COPY }),
          ),
        );
        await Promise.all(viewers.map((viewer) => viewer.reached(1_000, PATIENCE_MS)));
        for (const viewer of viewers) viewer.leave();
        await noneIsLeft(bench);
        const taken = () => bench.rigs[0]?.card.taken;
        await eventually('every place is free', () => taken()?.slots === 0);
        expect(taken()).toEqual({ slots: 0, cpu: 0, gpu: 0 });
      }
      expect(bench.asked).toHaveLength(50);
      expect(await bench.files()).toEqual([]);
    },
  );

  it('is told to have stalled when it is given media and gives none', async () => {
    const program = await standIn('stalls', 'exec cat >/dev/null');
    await using bench = await startRuns({ workers: [{ program }], startMs: 600 });
    await using viewer = await bench.watch(provider.url('/a.ts'));
    await viewer.started(PATIENCE_MS);
    expect(viewer.status).toBe(504);
    await noneIsLeft(bench);
  });

  it('has not stalled while its progress goes on', ALONE, async () => {
    const body =
      'n=0; while :; do n=$((n+1)); printf "out_time_us=${n}000000\\nprogress=continue\\n" >&4; [ $n -lt 4 ] && head -c 18800 /dev/zero | tr "\\0" G; sleep 0.3; done';
    const program = await standIn('slow', `cat >/dev/null & ${body}`);
    await using bench = await startRuns({ workers: [{ program }], staleMs: 1_500 });
    await using viewer = await bench.watch(provider.url('/a.ts'));
    await viewer.started(PATIENCE_MS);
    await eventually('much progress is told', () => {
      const [run] = runsOf(bench, viewer.id);
      return (run?.report?.progress?.outTimeMs ?? 0) > 11_000;
    });
    expect(runsOf(bench, viewer.id)).toMatchObject([{ state: 'running', reason: null }]);
  });

  it.each([
    ['memory', { memoryBytes: 8 * MIB }],
    ['cpu', { cpuPercent: 1, windowMs: 1_000 }],
  ])('that uses too much %s is ended and replaced', async (reason, limits) => {
    await using bench = await startRuns({ workers: [{ limits }] });
    await using viewer = await bench.watch(provider.url('/a.ts'));
    await eventually(
      'it has been replaced',
      () => reasonsOf(bench, viewer.id).filter((why) => why === reason).length > 1,
      PATIENCE_MS,
    );
    const [run] = runsOf(bench, viewer.id);
    expect(run).toMatchObject({ code: 'TRANSCODE_FAILED', reason });
    expect(run?.report?.usage?.memoryBytes).toBeGreaterThan(8 * MIB);
  });
});

const COPY = '-i {input_url} -c copy -f mpegts pipe:1';

describe('places on workers', () => {
  it('are looked for before any source is asked', async () => {
    await using bench = await startRuns({ workers: [{ capacity: { cpu: 1 } }] });
    await using one = await bench.watch(provider.url('/a.ts'));
    await one.reached(A_SECOND, PATIENCE_MS);
    const before = provider.requestsOf('/b.ts').length;
    await using other = await bench.watch(provider.url('/b.ts'));
    await other.ended(PATIENCE_MS);
    expect(other.status).toBe(503);
    expect(other.headers['retry-after']).toBe('5');
    expect(JSON.parse(other.body().toString())).toMatchObject({
      code: 'WORKERS_AT_CAPACITY',
      detail: 'No worker has a processor left for another encode.',
    });
    expect(provider.requestsOf('/b.ts')).toHaveLength(before);
    await using copied = await bench.watch(provider.url('/b.ts'), { profile: COPY });
    await copied.reached(A_SECOND, PATIENCE_MS);
  });

  it('are not there without workers', async () => {
    await using bench = await startRuns({ workers: [] });
    await using viewer = await bench.watch(provider.url('/a.ts'));
    await viewer.ended(PATIENCE_MS);
    expect(viewer.status).toBe(503);
    expect(viewer.body().toString()).toContain('No worker that transcodes is running.');
  });

  it('on a device are as many as its sessions; then software encodes, and it is told', async () => {
    const program = await standIn('device', ON_DEVICE);
    await using bench = await startRuns({ workers: [{ ...WITH_DEVICE, program }] });
    const viewers = [];
    for (const path of ['/a.ts', '/b.ts']) {
      const viewer = await bench.watch(provider.url(path), { profile: 'lowlatency' });
      viewers.push(await viewer.reached(A_SECOND, PATIENCE_MS));
    }
    expect(bench.rigs[0]?.card.taken).toEqual({ slots: 2, cpu: 1, gpu: 1 });
    await using late = await bench.watch(provider.url('/c.ts'), { profile: 'lowlatency' });
    await late.ended(PATIENCE_MS);
    expect(late.body().toString()).toContain('No worker has an encode session of its device left.');
    const told = () => bench.playback.state.events.filter(isFallback);
    await eventually('it is told', () => told().length > 0);
    expect(told()).toMatchObject([
      {
        streamId: viewers[1]?.id,
        fact: { from: 'nvenc', to: 'software', reason: 'gpu_sessions_busy', profile: 'lowlatency' },
      },
    ]);
    for (const viewer of viewers) viewer.leave();
    await noneIsLeft(bench);
  });

  it('on a device that fails are taken by software, in the same response', async () => {
    const says = '[h264_nvenc @ 0x1] [error] OpenEncodeSessionEx failed: out of memory (10)';
    const fails = `case " $* " in *" h264_nvenc "*) echo "${says}" >&2; exit 1;; esac`;
    const failing = await standIn('fails', `${fails}\n${ON_DEVICE}`);
    await using bench = await startRuns({ workers: [{ ...WITH_DEVICE, program: failing }] });
    await using viewer = await bench.watch(provider.url('/a.ts'), { profile: 'lowlatency' });
    await viewer.reached(A_SECOND, PATIENCE_MS);
    expect(viewer.status).toBe(200);
    await eventually('it is told', () => bench.playback.state.told.includes('transcode_fallback'));
    expect(bench.playback.state.events.find(isFallback)?.fact).toMatchObject({
      from: 'nvenc',
      reason: 'hardware_failed',
    });
    expect(reasonsOf(bench, viewer.id)).toEqual(['hardware', null]);
    viewer.leave();
    await noneIsLeft(bench);
  });
});

const isFallback = ({ fact }: { readonly fact: { readonly type: string } }): boolean =>
  fact.type === 'transcode_fallback';
