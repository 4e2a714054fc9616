import { UpstreamError } from '#kernel/app-error';
import type { AppError } from '#kernel/app-error';
import type { Clock, Timer, Timers } from '#kernel/clock';
import { KeyframeGate } from '#mpegts';
import type { Clip, Look, TsFacts } from '#mpegts';
import { slateTriggerOf } from '#upstream';
import type { SlateTrigger } from '#upstream';
import type { Slates } from './slate-library.ts';
import { SlatePlayer } from './slate-player.ts';
import type { SlateTarget } from './slate-player.ts';

/** When viewers see a slate. */
export type SlateSettings = {
  readonly slates: Slates;
  /** Viewers have had nothing for this long: a switch that is over before shows none. */
  readonly afterMs: number;
  /** A slate is shown for so long at most; 0 for no limit. */
  readonly timeoutMs: number;
  /** Who comes when no source works sees one too, instead of an error. */
  readonly forNewViewers: boolean;
};

export type SlateShowOptions = {
  /** Absent: there are no slates. */
  readonly settings: SlateSettings | undefined;
  readonly target: SlateTarget;
  /** What viewers' decoders are set up for, as far as that is known. */
  readonly look: () => Look | undefined;
  /** What viewers get is MPEG-TS, or nothing so far: a slate can follow it. */
  readonly fits: () => boolean;
  /** Viewers see a slate from now on, or no longer. */
  readonly told: (trigger: SlateTrigger | undefined) => void;
  /** It has been shown for as long as allowed. */
  readonly timedOut: (failure: AppError) => void;
  readonly clock: Clock;
  readonly timers: Timers;
};

type Showing = {
  readonly player: SlatePlayer;
  readonly trigger: SlateTrigger;
  readonly timeout: Timer | undefined;
};

/**
 * Shows a slate to a feed's viewers while its sources give nothing. It goes on until a source has
 * given a keyframe: what comes before is held back.
 */
export class SlateShow {
  readonly #options: SlateShowOptions;
  #showing: Showing | undefined;
  #delay: Timer | undefined;
  #gate: KeyframeGate | undefined;
  #lastByteMs = 0;
  #isPrepared = false;
  #failure: AppError | undefined;

  constructor(options: SlateShowOptions) {
    this.#options = options;
  }

  get isOn(): boolean {
    return this.#showing !== undefined;
  }

  /** What to tell those who come now and are not to see the slate; undefined while all is well. */
  get refusal(): AppError | undefined {
    return this.isOn && this.#options.settings?.forNewViewers === false ? this.#reason : undefined;
  }

  /** What is known of the source that is held back; undefined when none is. */
  get facts(): TsFacts | undefined {
    return this.#gate?.facts;
  }

  /** A source did not work. */
  failed(failure: AppError): void {
    this.#failure = failure;
  }

  /** Nothing goes to viewers since then, of the monotonic clock. Harmless when that is known. */
  missing(lastByteMs: number): void {
    const { settings, timers } = this.#options;
    this.#gate = undefined;
    if (settings === undefined || this.isOn || this.#delay !== undefined) return;
    this.#lastByteMs = lastByteMs;
    this.#delay = timers.after(settings.afterMs, () => this.#begin());
  }

  /** All sources have failed. @returns whether there is something to show meanwhile. */
  canShow(failure: AppError): boolean {
    return this.isOn || this.#clipOf(slateTriggerOf(failure)) !== undefined;
  }

  /** Who comes now sees it at once, when that is wanted. @returns whether it is shown. */
  showToNew(failure: AppError): boolean {
    if (this.#options.settings?.forNewViewers !== true) return false;
    this.#failure = failure;
    this.#lastByteMs = this.#options.clock.monotonicMs();
    this.#begin();
    return this.isOn;
  }

  /** Another source begins. */
  sourceBegan(): void {
    this.#isPrepared = false;
    this.#gate = undefined;
  }

  /** @returns what of a source may go to viewers, copied if it was held; undefined for nothing. */
  admit(parts: readonly Buffer[]): readonly Buffer[] | undefined {
    if (!this.isOn) {
      this.#prepare();
      return parts;
    }
    this.#gate ??= new KeyframeGate();
    const admitted = this.#gate.push(parts, this.#options.clock.nowMs());
    if (admitted !== undefined) this.#giveWay();
    return admitted;
  }

  /** A source's media goes to viewers. */
  over(): void {
    this.#delay?.cancel();
    this.#delay = undefined;
    this.#failure = undefined;
  }

  /** Viewers take more. */
  resume(): void {
    this.#showing?.player.resume();
  }

  /** Those who see it are told again, as somebody else joins them. */
  joined(): void {
    if (this.#showing !== undefined) this.#options.told(this.#showing.trigger);
  }

  /** Idempotent. */
  close(): void {
    this.over();
    this.#end();
  }

  #begin(): void {
    const { settings, target, told, clock, timers } = this.#options;
    this.#delay = undefined;
    const trigger = slateTriggerOf(this.#reason);
    const clip = this.#clipOf(trigger);
    if (settings === undefined || clip === undefined) return;
    const silentMs = clock.monotonicMs() - this.#lastByteMs;
    const player = new SlatePlayer({ clip, target, silentMs, clock, timers });
    const { timeoutMs } = settings;
    const timeout = timeoutMs > 0 ? timers.after(timeoutMs, () => this.#timeOut()) : undefined;
    this.#showing = { player, trigger, timeout };
    told(trigger);
    target.cut(); // What was sent before has ended, whole or not.
    player.start();
  }

  /** What would be shown is made while all is well. */
  #prepare(): void {
    const { settings, look } = this.#options;
    if (settings === undefined || this.#isPrepared) return;
    const known = look();
    if (known === undefined) return;
    this.#isPrepared = true;
    settings.slates.prepare(known);
  }

  /** Should nothing come of the source after all, the slate comes back. */
  #giveWay(): void {
    this.#end();
    this.#options.target.cut();
    this.missing(this.#options.clock.monotonicMs());
  }

  #end(): void {
    const showing = this.#showing;
    if (showing === undefined) return;
    this.#showing = undefined;
    this.#gate = undefined;
    showing.player.close();
    showing.timeout?.cancel();
    this.#options.told(undefined);
  }

  #timeOut(): void {
    this.#options.timedOut(this.#reason);
  }

  #clipOf(trigger: SlateTrigger): Clip | undefined {
    const { settings, fits, look } = this.#options;
    return fits() ? settings?.slates.find(trigger, look()) : undefined;
  }

  get #reason(): AppError {
    return this.#failure ?? nothingCame();
  }
}

/** A source was asked, or moved to, and has said nothing at all so far. */
const nothingCame = (): UpstreamError =>
  new UpstreamError('UPSTREAM_TIMEOUT', { message: 'No source has given media yet.' });
