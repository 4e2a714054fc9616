import type { SourceFacts } from '#detection';
import type { Clock } from '#kernel/clock';
import { ahead27m } from '#mpegts';
import type { MediaFacts, MediaLook } from '#streams';

/** Who zaps past a channel does not have it looked at. */
const SETTLED_MS = 2_000;
/** Between two tries to be let in. */
const RETRY_MS = 1_000;
/** The second keyframe stands behind the tables for sure. */
const KEYFRAMES = 2;
const LEAST_MS = 1_500;
const MOST_MS = 15_000;
const MOST_BYTES = 4 * 1024 * 1024;
const TICKS_27M_PER_S = 27e6;

/** Finds out what a sample of a transport stream consists of. */
export interface MediaProbe {
  /** A place for one sample; undefined while too many others are taken. Whoever got it closes it. */
  open(): MediaInspection | undefined;
}

export interface MediaInspection {
  /**
   * Never rejects, and takes a bounded time. Undefined: it cannot be told.
   *
   * @param sample - Packets of a transport stream with its tables, at most 4 MiB.
   * @param signal - Ends it at once.
   */
  inspect(sample: Buffer, signal: AbortSignal): Promise<MediaFacts | undefined>;
  /** Idempotent. */
  close(): void;
}

export type MediaWatchOptions = {
  readonly probe: MediaProbe;
  /** The right to look at the source in use; undefined when nobody needs to. */
  readonly claim: () => MediaLook | undefined;
  readonly clock: Clock;
};

type Sample = {
  readonly look: MediaLook;
  readonly inspection: MediaInspection;
  readonly sinceMs: number;
  readonly firstKeyframe: number;
  parts: Buffer[];
  bytes: number;
  first27m: number | undefined;
};

/**
 * Has one sample of a source looked at, once it has been watched for a moment. The bytes are those
 * that viewers get: the source hears nothing of it.
 */
export class MediaWatch {
  readonly #options: MediaWatchOptions;
  readonly #stopped = new AbortController();
  #sample: Sample | undefined;
  #nextMs: number;
  #isOver = false;

  constructor(options: MediaWatchOptions) {
    this.#options = options;
    this.#nextMs = options.clock.monotonicMs() + SETTLED_MS;
  }

  /** Takes packets of the source; what is needed of them is copied. */
  take(parts: readonly Buffer[], facts: () => SourceFacts): void {
    if (this.#isOver) return;
    if (this.#sample !== undefined) this.#collect(this.#sample, parts, facts());
    else if (this.#options.clock.monotonicMs() >= this.#nextMs) this.#begin(facts());
  }

  /** Ends a look that is under way. Idempotent. */
  stop(): void {
    this.#isOver = true;
    this.#stopped.abort();
    this.#leave();
  }

  #begin({ program, keyframes = 0, pcr27m }: SourceFacts): void {
    const nowMs = this.#options.clock.monotonicMs();
    this.#nextMs = nowMs + RETRY_MS;
    if (program === undefined) return;
    const inspection = this.#options.probe.open();
    if (inspection === undefined) return;
    const look = this.#options.claim();
    if (look === undefined) {
      inspection.close();
      this.#isOver = true;
      return;
    }
    const collected = { parts: [], bytes: 0, first27m: pcr27m };
    this.#sample = { look, inspection, sinceMs: nowMs, firstKeyframe: keyframes, ...collected };
  }

  #collect(sample: Sample, parts: readonly Buffer[], facts: SourceFacts): void {
    const { keyframes = 0, pcr27m } = facts;
    const ageMs = this.#options.clock.monotonicMs() - sample.sinceMs;
    const seen = keyframes - sample.firstKeyframe;
    for (const part of parts) {
      sample.parts.push(Buffer.from(part));
      sample.bytes += part.length;
    }
    const isFull = sample.bytes >= MOST_BYTES;
    if ((seen >= KEYFRAMES && ageMs >= LEAST_MS) || ageMs >= MOST_MS || (isFull && seen > 0)) {
      void this.#inspect(sample, bitrateOf(sample, pcr27m));
    } else if (isFull) {
      // Nothing that a decoder could begin with: what comes next may be better.
      Object.assign(sample, { parts: [], bytes: 0, first27m: pcr27m });
    }
  }

  async #inspect(sample: Sample, bitrateKbps: number | undefined): Promise<void> {
    this.#isOver = true;
    const whole = Buffer.concat(sample.parts, Math.min(sample.bytes, MOST_BYTES));
    sample.parts = [];
    const found = await sample.inspection.inspect(whole, this.#stopped.signal);
    if (this.#stopped.signal.aborted) return;
    sample.look.told(found && { ...found, ...(bitrateKbps === undefined ? {} : { bitrateKbps }) });
    this.#leave();
  }

  #leave(): void {
    this.#sample?.look.close();
    this.#sample?.inspection.close();
    this.#sample = undefined;
  }
}

/** By the source's own clock; undefined when that has hardly moved. */
function bitrateOf({ bytes, first27m }: Sample, last27m: number | undefined): number | undefined {
  if (first27m === undefined || last27m === undefined) return undefined;
  const seconds = ahead27m(last27m, first27m) / TICKS_27M_PER_S;
  return seconds < 0.5 ? undefined : Math.round((bytes * 8) / seconds / 100) / 10;
}
