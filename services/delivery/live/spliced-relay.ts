import { FragmentJoins } from '#fmp4';
import type { Clock } from '#kernel/clock';
import { Splicer } from '#mpegts';
import type { Look, TsFacts } from '#mpegts';
import { DelayLine, Relay } from '#relay';
import type { RelayOptions, ViewerSink } from '#relay';
import { MediaClock } from './media-clock.ts';

/** What is kept of a live stream for its viewers. */
export type LiveBuffering = {
  /** How much of the past a joiner of a shared stream gets beyond the last keyframe. */
  readonly burstMs: number;
  /** How far viewers are held behind the source; 0 for not at all. */
  readonly delayMs: number;
  /** Most that is kept for the delay. */
  readonly delayBytes: number;
};

export type SplicedRelayOptions = Omit<RelayOptions, 'burstMs'> & {
  readonly buffering: LiveBuffering;
};

/** A relay whose viewers get one stream, whatever it is made of: players see no seam. */
export class SplicedRelay {
  readonly #clock: Clock;
  readonly #splicer = new Splicer();
  readonly #fragments = new FragmentJoins();
  readonly #media = new MediaClock();
  readonly #relay: Relay;
  /** Where viewers are held behind the source. */
  readonly #line: DelayLine | undefined;

  constructor({ buffering, ...options }: SplicedRelayOptions) {
    const { clock, timers, resume } = options;
    const { burstMs, delayMs, delayBytes } = buffering;
    this.#clock = clock;
    this.#relay = new Relay({
      ...options,
      burstMs,
      resume: () => (this.#line === undefined ? resume() : this.#line.resume()),
    });
    if (delayMs === 0) return;
    const push = this.#relay.push.bind(this.#relay);
    this.#line = new DelayLine({ delayMs, maxBytes: delayBytes, clock, timers, push, resume });
  }

  /** What is known of what is spliced now. */
  get facts(): TsFacts {
    return this.#splicer.facts;
  }

  /** Viewers have been sent MPEG-TS. */
  get isTransportStream(): boolean {
    return this.#splicer.hasTables;
  }

  /** What viewers' decoders are set up for; undefined where that is not known. */
  get look(): Look | undefined {
    return this.#splicer.look;
  }

  attach(sink: ViewerSink): void {
    this.#relay.attach(sink);
  }

  detach(sink: ViewerSink): void {
    this.#relay.detach(sink);
  }

  /** Makes packets the continuation of what was sent; gives what is to be sent next. */
  splice(packets: readonly Buffer[]): readonly Buffer[] {
    return this.#splicer.push(packets, this.#clock.nowMs());
  }

  /** Sends what `splice` gave, before it is called again. @returns false to wait for `resume`. */
  send(parts: readonly Buffer[]): boolean {
    const mediaMs = this.#media.read(this.#splicer.pcr27m, this.#clock.monotonicMs());
    const joins = this.isTransportStream ? this.#splicer.joins : this.#fragments.read(parts);
    const input = { parts, joins, mediaMs };
    return (this.#line ?? this.#relay).push(input);
  }

  /** What is spliced next does not follow what was: another source, or one that begins anew. */
  cut(): void {
    this.send(this.#splicer.switchSource());
  }

  /** No more will come: resolves when all that is kept back has been sent, in its time. */
  async drained(): Promise<void> {
    await this.#line?.drained();
  }

  flush(): void {
    this.#relay.flush();
  }

  close(): void {
    this.#line?.close();
    this.#relay.close();
  }
}
