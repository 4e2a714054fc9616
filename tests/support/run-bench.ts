import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Router } from 'express';
import { PeerDoor } from '#api/internal/peer-door';
import { openTranscoding } from '#api/internal/transcoding';
import { playbackRoutes } from '#api/routes/playback.routes';
import type { VodDelivery } from '#delivery';
import { systemClock, systemTimers } from '#kernel/clock';
import { silentLogger } from '#kernel/logger';
import type { StreamInput } from '#streams';
import { planOf } from '#transcode';
import type { Amounts, Hardware, PlanRequest, RunJob, UsageLimits } from '#transcode';
import { startFfmpeg } from '../../services/adapters/ffmpeg/transcoder.ts';
import { linkRun } from '../../services/adapters/http/run-client.ts';
import { TranscodeWork } from '../../workers/transcode.worker.ts';
import { startPlayback } from './playback-bench.ts';
import type { Collaborators } from './playback-bench.ts';
import { processesWith } from './processes.ts';
import { Viewer } from './viewer.ts';

const SOFTWARE: Hardware = { kind: 'software', device: undefined };
const MOST: Amounts = { slots: 8, cpu: 8, gpu: 0 };

export type RigOptions = {
  readonly capacity?: Partial<Amounts>;
  readonly hardware?: readonly Hardware[];
  readonly limits?: Partial<UsageLimits>;
  /** In place of FFmpeg. */
  readonly program?: string;
};

/** One worker, in this process, with real FFmpegs. */
export class WorkerRig {
  readonly #draining = new AbortController();
  readonly #work: TranscodeWork;
  readonly #options: RigOptions;
  readonly #runs = new Set<Promise<unknown>>();
  readonly taken: RunJob[] = [];

  constructor(options: RigOptions, { folder, secret }: { folder: string; secret: Buffer }) {
    const { program = 'ffmpeg', limits } = options;
    this.#options = options;
    this.#work = new TranscodeWork({
      start: (args) => startFfmpeg({ program, args, folder }),
      link: (job) => linkRun(job, secret),
      hardware: () => this.hardware,
      capacity: () => this.capacity,
      limits: { memoryBytes: undefined, cpuPercent: undefined, windowMs: 10_000, ...limits },
      logger: silentLogger,
      changed: () => {},
    });
  }

  get hardware(): readonly Hardware[] {
    return this.#options.hardware ?? [SOFTWARE];
  }
  get capacity(): Amounts {
    return { ...MOST, ...this.#options.capacity };
  }
  get isDraining(): boolean {
    return this.#draining.signal.aborted;
  }
  get card() {
    const { capacity, hardware } = this;
    return { id: 'rig', capacity, taken: this.#work.taken, runs: this.#work.runs, hardware };
  }

  /** False when it has no place for it. */
  async offer(job: RunJob): Promise<boolean> {
    if (this.isDraining) return false;
    const run = this.#work.run(job, this.#draining.signal);
    const now = new Promise<'taken'>((resolve) => setImmediate(() => resolve('taken')));
    if ((await Promise.race([run, now])) === 'declined') return false;
    this.taken.push(job);
    this.#runs.add(run);
    return true;
  }

  async drain(): Promise<void> {
    this.#draining.abort();
    await Promise.all(this.#runs);
  }
}

export type RunBenchOptions = {
  readonly workers?: readonly RigOptions[];
  readonly startMs?: number;
  readonly staleMs?: number;
  readonly graceMs?: number;
};

/** Transcoding as an api process has it, over real sockets and FFmpegs; queue and board in memory. */
export async function startRuns(options: RunBenchOptions = {}) {
  const home = await mkdtemp(path.join(tmpdir(), 'penstock-runs-'));
  const folder = path.join(home, 'work');
  await mkdir(folder);
  const secret = randomBytes(32);
  const rigs = (options.workers ?? [{}]).map((rig) => new WorkerRig(rig, { folder, secret }));
  const asked: RunJob[] = [];
  let inner = Router();
  let parts: Collaborators | undefined;
  const playback = await startPlayback({
    routes: (deps) => {
      parts = deps;
      return Router().use((req, res, next) => inner(req, res, next));
    },
  });
  if (parts === undefined) throw new Error('No delivery.');
  const { live, directory, upstream } = parts;
  const vod = {} as VodDelivery;
  const transcoding = await openTranscoding({
    queue: {
      async ask(job) {
        asked.push(job);
        for (const rig of rigs) if (await rig.offer(job)) return;
      },
      cancel: async () => {},
    },
    board: { list: async () => rigs.filter((rig) => !rig.isDraining).map(({ card }) => card) },
    holders: { take: async (_id, url) => url, release: () => {} },
    peers: upstream,
    resolvers: { find: () => undefined, close: () => {} },
    door: { url: undefined },
    peerDoor: new PeerDoor(),
    directory,
    live,
    vod,
    common: {
      viewerBufferBytes: 8 * 1024 * 1024,
      viewerPatienceMs: 60_000,
      clock: systemClock,
      timers: systemTimers,
      logger: silentLogger,
    },
    settings: {
      startMs: options.startMs ?? 10_000,
      staleMs: options.staleMs ?? 10_000,
      graceMs: options.graceMs ?? 0,
      internal: { host: '127.0.0.1', port: 0, url: undefined },
    },
    secret,
  });
  inner = playbackRoutes({ directory, live, vod, transcodes: transcoding.delivery });
  const join = (id: string): RunViewer => new RunViewer(`${playback.base}/stream/${id}`, id);
  const watch = async (
    url: string,
    request: Partial<PlanRequest> = {},
    more: Partial<StreamInput> = {},
  ): Promise<RunViewer> => {
    const plan = { profile: SMALL, variables: {}, format: 'mpegts', isTrusted: false, ...request };
    return join(await playback.create(url, { ...more, transcode: planOf(plan) }));
  };
  const dispose = async (): Promise<void> => {
    await transcoding.close();
    await Promise.all(rigs.map((rig) => rig.drain()));
    await playback[Symbol.asyncDispose]();
    await rm(home, { recursive: true });
  };
  return {
    asked,
    rigs,
    playback,
    /** Every FFmpeg that works for it, and what they have written where they work. */
    ffmpegs: () => processesWith({ mark: 'PENSTOCK_OF_NOBODY=', folder: home }),
    files: () => readdir(folder),
    desk: transcoding.desk,
    watch,
    /** One more viewer of a stream. */
    join,
    [Symbol.asyncDispose]: dispose,
  };
}

/** A viewer of a stream that has been registered for it. */
export class RunViewer extends Viewer {
  readonly id: string;

  constructor(url: string, id: string) {
    super(url);
    this.id = id;
  }
}

/** Small and quick, so that tests are about us and not about x264. */
const SMALL =
  '-i {input_url} -c:v libx264 -preset ultrafast -vf "scale=160:90" -b:v 200k -c:a aac -b:a 64k -f mpegts pipe:1';
