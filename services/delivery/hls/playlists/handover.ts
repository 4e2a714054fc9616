import type { PartUrl } from '#conversion';
import { UpstreamError } from '#kernel/app-error';
import type { Clock, Timers } from '#kernel/clock';
import type { StreamId } from '#kernel/ids';
import { orAbort } from '#kernel/or-abort';
import { hasSoundApart } from '#hls';
import type { MediaKind, Source, SourceWalk, Stream, WalkReader } from '#streams';
import type { FetchedPlaylist } from './fetch-playlist.ts';
import type { PlaylistAsk } from './playlist-finder.ts';
import { SharedLoads, sourceTagOf, startPatience } from '#delivery/viewing';
import type { SwitchGap } from './switch-gap.ts';
import { isOfStream } from './track-key.ts';
import { TrialWalk } from './trial-walk.ts';

/** A stream while it is cut into segments; ends with the last who keeps it. */
export interface CutStream {
  /**
   * Resolves when there is a playlist and its source has proved to be live.
   * @throws AppError
   */
  readonly lasting: Promise<void>;
  /**
   * Resolves when there is a playlist, or with what the source is instead.
   * @throws AppError
   */
  readonly ready: Promise<'packaged' | MediaKind>;
  readonly isClosed: boolean;
  readonly targetDurationMs: number;
  text(linkOf: PartUrl): string | undefined;
  keptBy(viewer: string, ended: AbortSignal): void;
}

/** Cuts streams into segments. */
export interface Cutter {
  /** @param walkOf - For the relay that is cut, if it has to be opened first. */
  open(stream: Stream, walkOf: (reader: WalkReader) => SourceWalk): CutStream;
  /** @param end - What every link ends in. */
  linksOf(streamId: StreamId, end: string): PartUrl;
}

export type HandoverOptions = {
  readonly stream: Stream;
  /** By which the source in use is known. */
  readonly walk: Pick<SourceWalk, 'current' | 'flowing'>;
  /** Nothing is ever handed over when absent. */
  readonly packaged: Cutter | undefined;
  /** Counts from when viewers were last shown something new. */
  readonly gap: Pick<SwitchGap, 'timing'>;
  readonly clock: Clock;
  readonly timers: Timers;
};

/**
 * Whose playlists are taken on: of `all`, where the source is none itself; of those who had their
 * sound `inside`, where it has a playlist of its own, which they do not know.
 */
export type HandoverScope = 'all' | 'inside';

/** A source whose sound cannot be put to its pictures is not tried again for so long. */
const REFUSED_MS = 60_000;
/** A source that has given no segment for so long is none. */
const TRIAL_MS = 15_000;
/** The connection that told what the source is has just been closed: providers notice late. */
const SETTLE_MS = 250;
/** For viewers who were given the last playlist again meanwhile: they are about to come back. */
const HOLD_MS = 20_000;
const HOLDER = 'handover';

/**
 * Stands behind every link of a playlist that is cut here, where what each viewer's links end in has
 * its place: no link has it.
 */
export const LINK_END = '\0';

/**
 * Takes the viewers of a stream's playlists on when its source turns out to be a live transport
 * stream: that is cut here, and goes out as one more source's playlist. From then on the relay that
 * is cut finds the sources, of either kind, until nobody watches any more.
 */
export class Handover {
  readonly #options: HandoverOptions;
  readonly #trials = new SharedLoads<void>();
  /** A trial may find what an earlier one has opened, of a source that the stream has left since. */
  readonly #walks = new WeakMap<CutStream, TrialWalk>();
  #cutting: CutStream | undefined;
  #scope: HandoverScope = 'inside';
  #triedScope: HandoverScope = 'inside';
  #refused = { source: '', untilMs: 0 };
  #run = '';

  constructor(options: HandoverOptions) {
    this.#options = options;
  }

  get isPossible(): boolean {
    return this.#options.packaged !== undefined;
  }

  get #isOn(): boolean {
    return this.#cutting?.isClosed === false;
  }

  /** All viewers of playlists are given what is cut here. */
  get takesAll(): boolean {
    return this.#isOn && this.#scope === 'all';
  }

  /** Whether an ask is to be answered with what is cut here, or waits for what comes of a trial. */
  takes(ask: PlaylistAsk, source: Source): boolean {
    if (!isOfStream(ask)) return false;
    if (this.#isOn) return this.#scope === 'all' || wantsSoundInside(ask);
    return this.#triedScope === 'all' && this.isTrying(source);
  }

  /** It is being found out whether this source can be cut. */
  isTrying(source: Source): boolean {
    return this.#trials.isRunning(sourceTagOf(source));
  }

  /**
   * What is cut, as it is now. Where nothing is, tries the source in use, once for all who ask
   * meanwhile.
   * @throws AppError when it is no live transport stream, or ends, or falls silent: it is a failure
   *   of that source, but for those who could do without; the signal's reason.
   */
  async begin(source: Source, scope: HandoverScope, signal: AbortSignal): Promise<FetchedPlaylist> {
    const { packaged } = this.#options;
    if (packaged === undefined || this.#refuses(source, scope)) throw notCut();
    const trial = (unwanted: AbortSignal): Promise<void> => {
      this.#triedScope = scope;
      return this.#try(packaged, source, unwanted);
    };
    if (!this.#isOn) await this.#trials.run(sourceTagOf(source), trial, signal);
    if (scope === 'all') this.#scope = 'all';
    const playlist = this.#playlist();
    if (playlist === undefined) throw notCut();
    return playlist;
  }

  /** A viewer of playlists has asked. @param ended - Aborts when it is gone. */
  keptBy(viewer: string, ended: AbortSignal): void {
    if (this.#isOn) this.#cutting?.keptBy(viewer, ended);
  }

  #playlist(): FetchedPlaylist | undefined {
    const { packaged, stream, walk } = this.#options;
    const linkOf = packaged?.linksOf(stream.id, LINK_END);
    const text = this.#isOn && linkOf ? this.#cutting?.text(linkOf) : undefined;
    if (text === undefined) return undefined;
    const targetDurationMs = this.#cutting?.targetDurationMs;
    const facts = { shape: 'media', targetDurationMs, isEnded: false } as const;
    return { text, encoding: 'utf8', finalUrl: walk.current.url, facts, run: this.#run };
  }

  async #try(packaged: Cutter, source: Source, unwanted: AbortSignal): Promise<void> {
    const { stream, walk, gap, clock, timers } = this.#options;
    await pause(SETTLE_MS, timers, unwanted);
    const askedAtMs = clock.monotonicMs();
    const cutting = this.#open(packaged);
    const hold = new AbortController();
    cutting.keptBy(HOLDER, AbortSignal.any([hold.signal, stream.removed]));
    const patience = startPatience(timers, TRIAL_MS);
    try {
      await orAbort(this.#proof(cutting), AbortSignal.any([unwanted, patience.signal]));
      if (walk.current.url !== source.url) throw notCut();
      const trial = this.#walks.get(cutting);
      const flowingAtMs = trial?.flowingSinceMs;
      const timing = flowingAtMs === undefined ? undefined : gap.timing({ askedAtMs, flowingAtMs });
      trial?.pass(timing);
      walk.flowing(timing);
    } catch (error) {
      hold.abort();
      const untilMs = clock.monotonicMs() + REFUSED_MS;
      if (!unwanted.aborted) this.#refused = { source: sourceTagOf(source), untilMs };
      throw error;
    } finally {
      patience.end();
    }
    this.#cutting = cutting;
    this.#scope = this.#triedScope;
    this.#run = `${sourceTagOf(source)}~${Math.floor(clock.nowMs()).toString(36)}`;
    timers.after(HOLD_MS, () => hold.abort(), { background: true });
  }

  #open(packaged: Cutter): CutStream {
    const { stream, clock } = this.#options;
    let trial: TrialWalk | undefined;
    const cutting = packaged.open(stream, (reader) => {
      trial = new TrialWalk(stream.walk(reader), clock);
      return trial;
    });
    if (trial) this.#walks.set(cutting, trial);
    return cutting;
  }

  /** A playlist has proved by itself that it is live. */
  async #proof(cutting: CutStream): Promise<void> {
    if (this.#triedScope === 'all') return cutting.lasting;
    if ((await cutting.ready) !== 'packaged') throw notCut();
  }

  #refuses(source: Source, scope: HandoverScope): boolean {
    const { source: refused, untilMs } = this.#refused;
    const isFresh = this.#options.clock.monotonicMs() < untilMs;
    return scope === 'inside' && isFresh && refused === sourceTagOf(source) && !this.#isOn;
  }
}

async function pause(ms: number, timers: Timers, signal: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = timers.after(ms, over.resolve);
  try {
    await orAbort(over.promise, signal);
  } finally {
    timer.cancel();
  }
}

/** Who has been given pictures and sound in one playlist. */
const wantsSoundInside = (ask: PlaylistAsk): boolean => {
  if (ask.kind === 'entry') return ask.wants === 'media';
  const { track } = ask.target;
  return track?.role === 'variant' && !hasSoundApart(track);
};

const notCut = (): UpstreamError =>
  new UpstreamError('UPSTREAM_CHANGED', {
    message: 'The stream has left the source that was to be cut into segments.',
  });
