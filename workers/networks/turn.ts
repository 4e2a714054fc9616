import { AppError, codeOf } from '#kernel/app-error';
import { sleep } from '#kernel/clock';
import { afterExit, firstVariant, lastOf, lesserVariant, networkArgs, openingOf } from '#networks';
import type { Beat, MediaSource, Network, NetworkFolder, Variant } from '#networks';
import { SegmentDesk } from './segment-desk.ts';
import type { KeeperOptions } from './ports.ts';
import { NetworkRun } from './run.ts';
import type { RunOutcome } from './run.ts';

export type TurnOptions = Pick<
  KeeperOptions,
  'sources' | 'start' | 'settings' | 'clock' | 'timers' | 'logger'
> & {
  readonly network: Network;
  readonly folder: NetworkFolder;
  /** An app has acted, the lease is lost, or the worker drains. */
  readonly interrupted: AbortSignal;
  readonly told: (beat: Beat) => void;
  readonly begun: (pid: number) => void;
};

export type TurnOutcome =
  | { readonly kind: 'interrupted' | 'ended' }
  | { readonly kind: 'failed'; readonly exitCode: number; readonly error: string };

/** One programme of a network, from where it is to its end: as many lives of FFmpeg as it takes. */
export class Turn {
  readonly #options: TurnOptions;
  readonly #desk: SegmentDesk;
  #variant: Variant;
  #restarts = 0;
  #progressAtMs: number;
  #hasBegun: boolean;

  constructor(options: TurnOptions) {
    this.#options = options;
    const { network, clock } = options;
    this.#variant = firstVariant(network.programme);
    this.#progressAtMs = clock.monotonicMs();
    this.#hasBegun = network.state === 'running';
    this.#desk = new SegmentDesk({
      ...options,
      listed: (beat) => {
        this.#restarts = 0;
        this.#progressAtMs = clock.monotonicMs();
        options.told(beat);
      },
    });
  }

  async play(): Promise<TurnOutcome> {
    const { interrupted, timers } = this.#options;
    await this.#open();
    for (;;) {
      if (interrupted.aborted) return { kind: 'interrupted' };
      const outcome = await this.#attempt();
      if (interrupted.aborted) return { kind: 'interrupted' };
      const next = this.#judge(outcome);
      if (typeof next === 'object') return next;
      if (next > 0) await sleep(timers, next, interrupted).catch(() => {});
    }
  }

  /** A programme that another worker has begun goes on where its list ends. */
  async #open(): Promise<void> {
    const { network, folder } = this.#options;
    const manner = network.playedMs > 0 ? 'onward' : network.numbering.manner;
    if (manner === 'fresh') await folder.empty();
    const there = await folder.readWindow();
    const { asked } = network.numbering;
    const opening = openingOf({ asked, manner }, there, network.lastNumber);
    this.#desk.open(opening);
    const last = lastOf(opening.window);
    if (last !== null) this.#options.told({ lastNumber: last });
  }

  async #attempt(): Promise<RunOutcome> {
    const { sources, network, interrupted } = this.#options;
    const { programme } = network;
    let source: MediaSource | undefined;
    try {
      source = await sources.open(programme, interrupted);
      const subtitleFile = await this.#openSubtitles();
      return await this.#run(source, subtitleFile);
    } catch (error) {
      source?.close();
      if (!(error instanceof AppError) && !interrupted.aborted) {
        this.#options.logger.error('network run failed', { networkId: network.id, error });
      }
      return unopened(error);
    }
  }

  /** Without them the programme is shown all the same. */
  async #openSubtitles(): Promise<MediaSource | undefined> {
    const { sources, network, interrupted, logger } = this.#options;
    const url = network.programme.subtitles?.url ?? null;
    if (url === null || this.#variant.subtitles === null) return undefined;
    const { headers } = network.programme;
    try {
      return await sources.open({ streamUrl: url, headers }, interrupted);
    } catch (error) {
      logger.warn('subtitles not to be had', { networkId: network.id, code: codeOf(error) });
    }
    this.#variant = { ...this.#variant, subtitles: null };
    return undefined;
  }

  async #run(source: MediaSource, subtitleFile: MediaSource | undefined): Promise<RunOutcome> {
    const { network, folder, start, settings, timers, interrupted } = this.#options;
    const { programme } = network;
    const desk = this.#desk;
    const args = networkArgs({
      programme,
      input: source.kind,
      subtitleInput: subtitleFile?.kind ?? null,
      variant: this.#variant,
      seekSeconds: programme.seekSeconds + desk.playedMs / 1000,
      leftSeconds: this.#leftSeconds(source.kind === 'file'),
      firstNumber: desk.nextNumber,
    });
    const runBase = desk.beginRun();
    const run = await NetworkRun.start({
      args,
      folder,
      source,
      subtitleFile,
      hasSubtitles: this.#variant.subtitles !== null,
      start,
      graceMs: settings.graceMs,
      stallMs: Math.max(settings.stallMs, programme.segmentSeconds * STALL_SEGMENTS * 1000),
      timers,
      started: (pid) => this.#options.told({ pid }),
      begun: (pid) => {
        this.#hasBegun = true;
        this.#options.begun(pid);
      },
      finished: (segment, cues) => desk.list(segment, cues, runBase),
    });
    const stop = (): void => run.stop();
    interrupted.addEventListener('abort', stop, { once: true });
    if (interrupted.aborted) stop();
    try {
      return await run.ended();
    } finally {
      interrupted.removeEventListener('abort', stop);
    }
  }

  /** A file is gone on with where it was; what is live goes on meanwhile. */
  #leftSeconds(isFile: boolean): number | null {
    const { network, clock } = this.#options;
    const { durationSeconds } = network.programme;
    if (durationSeconds === 0) return null;
    const goneMs = isFile ? this.#desk.playedMs : clock.nowMs() - network.startedAtMs;
    return Math.max(0, durationSeconds - Math.max(0, goneMs) / 1000);
  }

  /** The end, or how long to wait before the next attempt. */
  #judge(outcome: RunOutcome): TurnOutcome | number {
    const { network, logger, clock, settings } = this.#options;
    if (!outcome.hasBegun && !outcome.sourceFailed) {
      const lesser = lesserVariant(this.#variant, outcome);
      if (lesser !== undefined) {
        this.#variant = lesser;
        return 0;
      }
    }
    const next = afterExit({
      ending: { ...outcome, hasBegun: this.#hasBegun },
      isDvr: network.isDvr,
      hasPlayed: this.#desk.playedMs > 0,
      leftSeconds: this.#leftSeconds(!network.isDvr),
      sinceProgressMs: clock.monotonicMs() - this.#progressAtMs,
      restarts: this.#restarts,
      dvrWindowMs: settings.dvrWindowMs,
    });
    const { reason } = outcome;
    logger.info('network run ended', { networkId: network.id, reason, ...next });
    if (next.action === 'ended') return { kind: 'ended' };
    if (next.action === 'failed') {
      return { kind: 'failed', exitCode: outcome.exitCode || 1, error: errorOf(outcome) };
    }
    this.#restarts += 1;
    return next.delayMs;
  }
}

/** A source that sends one picture in a while has long segments. */
const STALL_SEGMENTS = 3;

/** Content with what it was given, and nothing came of it: its last words would tell nothing. */
const errorOf = ({ exitCode, sourceFailed, isStalled, reason }: RunOutcome): string =>
  exitCode === 0 && !sourceFailed && !isStalled
    ? 'The source has nothing that can be shown from where it was to begin.'
    : reason;

const unopened = (error: unknown): RunOutcome => ({
  exitCode: null,
  sourceFailed: true,
  isStalled: false,
  isCrash: false,
  hasBegun: false,
  lines: [],
  isOfDevice: false,
  reason: error instanceof AppError ? error.message : 'The media could not be read.',
});
