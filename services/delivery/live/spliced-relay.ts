import type { Clock } from '#kernel/clock';
import { Splicer } from '#mpegts';
import type { TsFacts } from '#mpegts';
import { Relay } from '#relay';
import type { RelayOptions, ViewerSink } from '#relay';

export type SplicedRelayOptions = Omit<RelayOptions, 'tables'> & { readonly clock: Clock };

/** A relay whose viewers get one stream, whatever it is made of: players see no seam. */
export class SplicedRelay {
  readonly #clock: Clock;
  readonly #splicer = new Splicer();
  readonly #relay: Relay;

  constructor(options: SplicedRelayOptions) {
    this.#clock = options.clock;
    this.#relay = new Relay({ ...options, tables: () => this.#splicer.tables() });
  }

  /** What is known of what is spliced now. */
  get facts(): TsFacts {
    return this.#splicer.facts;
  }

  /** Viewers have been sent MPEG-TS. */
  get isTransportStream(): boolean {
    return this.#splicer.tables().length > 0;
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
    return this.#relay.push({ parts, keyframes: this.#splicer.joinOffsets });
  }

  /** What is spliced next does not follow what was: another source, or one that begins anew. */
  cut(): void {
    this.send(this.#splicer.switchSource());
  }

  flush(): void {
    this.#relay.flush();
  }

  close(): void {
    this.#relay.close();
  }
}
