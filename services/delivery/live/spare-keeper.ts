import type { Clock, Timer, Timers } from '#kernel/clock';
import type { Logger } from '#kernel/logger';
import type { AppError } from '#kernel/app-error';
import type { Source, SourceWalk, SpareSource } from '#streams';
import type { StreamId } from '#kernel/ids';
import type {
  ConnectionAllowance,
  SparePermit,
  SparePermits,
  SparePurpose,
  UsedConnection,
} from '#upstream';
import type { SourceDetection } from './detection.ts';
import type { SourceOpener } from './open-source.ts';
import { SpareUpstream } from './spare-upstream.ts';

/**
 * What is held ready beside the source in use. `cold`: nothing. `warm`: the next source, connected
 * when the one in use is suspiciously silent. `hot`: the next source, open and read all the time.
 */
export type StandbyMode = 'cold' | 'warm' | 'hot';

export type SpareKeeperOptions = SourceOpener & {
  readonly streamId: StreamId;
  readonly walk: SourceWalk;
  readonly mode: StandbyMode;
  readonly permits: SparePermits;
  readonly allowance: ConnectionAllowance;
  readonly stallMs: number;
  readonly detection: SourceDetection;
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
};

/** Between closing one upstream and opening another: providers count a closed one for a moment. */
const SETTLE_MS = 1000;
const LOOK_MS = 1000;
/** The primary has recovered when it gives media for this long. */
const RETURN_SPELL_MS = 2000;

type Held = { readonly purpose: SparePurpose; readonly upstream: SpareUpstream };

/**
 * Keeps at most one upstream beside the one in use: a standby, or the primary on trial before the
 * stream returns to it. Works only while the source in use gives media.
 */
export class SpareKeeper {
  readonly #options: SpareKeeperOptions;
  #held: Held | undefined;
  #timer: Timer | undefined;
  #notBeforeMs = 0;
  #isSuspected = false;
  #used: UsedConnection | undefined;

  constructor(options: SpareKeeperOptions) {
    this.#options = options;
  }

  /** The source in use gives media. */
  begun(): void {
    const { permits, walk } = this.#options;
    this.#settle();
    this.#isSuspected = false;
    this.#used?.end();
    this.#used = permits.use(walk.current.url);
    this.#arm();
  }

  /** The source in use has failed. */
  broke(error: AppError): void {
    const { logger, streamId } = this.#options;
    if (this.#used?.broke(error)) logger.info('account bears no standby', { streamId });
  }

  suspected(isSuspected: boolean): void {
    this.#isSuspected = isSuspected;
    if (this.#timer !== undefined) this.#look();
  }

  /** The source in use gives no media any more: nothing new is opened. */
  halted(): void {
    this.#used?.end();
    this.#used = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** The upstream that is held for this source, from now on the caller's. Any other is closed. */
  take(source: Source): SpareUpstream | undefined {
    this.halted();
    const held = this.#held?.upstream;
    if (held === undefined || !isSame(held.source, source)) this.#drop();
    else this.#held = undefined;
    return held !== undefined && isSame(held.source, source) ? held : undefined;
  }

  /** Idempotent. */
  close(): void {
    this.halted();
    this.#drop();
  }

  #arm(): void {
    const { mode, walk } = this.#options;
    this.#timer?.cancel();
    if (mode === 'cold' && !walk.canReturn) return;
    this.#timer = this.#options.timers.after(LOOK_MS, () => this.#look(), { background: true });
  }

  #look(): void {
    this.#arm();
    const wanted = this.#wanted();
    if (this.#held !== undefined && !this.#serves(this.#held, wanted)) this.#drop();
    const flowedMs = this.#held?.upstream.flowedMs ?? 0;
    if (wanted === 'return' && flowedMs >= RETURN_SPELL_MS) {
      this.#options.walk.returnToPrimary();
    } else if (wanted !== undefined && this.#held === undefined) this.#open(wanted);
  }

  #wanted(): SparePurpose | undefined {
    const { walk, mode } = this.#options;
    if (this.#held?.purpose === 'return' || walk.isReturnDue) return 'return';
    const isStandbyWanted = mode === 'hot' || (mode === 'warm' && this.#isSuspected);
    return isStandbyWanted ? 'standby' : undefined;
  }

  #serves({ purpose, upstream }: Held, wanted: SparePurpose | undefined): boolean {
    if (purpose === wanted) return true;
    // A standby that is the primary is as good a trial as any.
    return wanted === 'return' && upstream.source.index === PRIMARY && this.#isRead;
  }

  get #isRead(): boolean {
    return this.#options.mode === 'hot';
  }

  #open(purpose: SparePurpose): void {
    const { walk, permits, allowance, streamId, clock } = this.#options;
    if (clock.monotonicMs() < this.#notBeforeMs) return;
    const granted: { permit?: SparePermit | undefined } = {};
    const mayOpen = ({ url, headers }: Source): boolean => {
      if (!allowance.hasRoom(headers)) return false;
      granted.permit = permits.acquire({ streamId, url, purpose });
      return granted.permit !== undefined;
    };
    const spare = purpose === 'return' ? walk.returning(mayOpen) : walk.spare(mayOpen);
    const { permit } = granted;
    if (spare === undefined || permit === undefined) return permit?.release();
    const isReading = purpose === 'return' || this.#isRead;
    const upstream = new SpareUpstream({
      ...this.#options,
      spare,
      permit,
      mode: isReading ? 'reading' : 'paused',
      failed: (error) => this.#failed(spare, error.code),
    });
    this.#held = { purpose, upstream };
  }

  #failed(spare: SpareSource, code: string): void {
    const { logger, streamId } = this.#options;
    logger.info('spare source failed', { streamId, index: spare.source.index, code });
    this.#held = undefined;
    this.#settle();
  }

  #drop(): void {
    if (this.#held === undefined) return;
    this.#held.upstream.close();
    this.#held = undefined;
    this.#settle();
  }

  #settle(): void {
    this.#notBeforeMs = this.#options.clock.monotonicMs() + SETTLE_MS;
  }
}

const PRIMARY = -1;

const isSame = (a: Source, b: Source): boolean => a.url === b.url && a.index === b.index;
