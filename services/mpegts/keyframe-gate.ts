import { PAT_PID } from './packet.ts';
import { packetize } from './tables.ts';
import { TsAnalyser } from './ts-analyser.ts';
import type { TsFacts } from './ts-analyser.ts';

/** What is kept of a source that has no keyframe yet: enough for its audio and a large picture. */
const MAX_KEPT_BYTES = 2 * 1024 * 1024;
/** No keyframe in so much: the source is let through as it is. */
const MAX_SOUGHT_BYTES = 16 * 1024 * 1024;

/**
 * Holds a source back until it has given a keyframe, so that something else can be shown until
 * then. Keeps a copy of at most 2 MiB, the latest. Opens also for a source that is scrambled, and
 * for one that has given 16 MiB without a keyframe.
 */
export class KeyframeGate {
  readonly #source = new TsAnalyser();
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #soughtBytes = 0;
  #hasDropped = false;

  /** What is known of the source. */
  get facts(): TsFacts {
    return this.#source.facts;
  }

  /**
   * Takes the next packets; they may be lent memory.
   * @param nowMs - The time, on any clock, for `facts`.
   * @returns undefined while it is closed; when it opens, the source's tables and all that was kept,
   *   from then on the caller's. The gate is of no more use then.
   */
  push(parts: readonly Buffer[], nowMs = 0): readonly Buffer[] | undefined {
    this.#source.push(parts, nowMs);
    for (const part of parts) this.#keep(Buffer.from(part));
    return this.#isOpen ? [...this.#tables, ...this.#kept] : undefined;
  }

  get #isOpen(): boolean {
    if (this.#source.keyframeStarts.length > 0) return true;
    return this.#source.facts.scrambledPackets > 0 || this.#soughtBytes > MAX_SOUGHT_BYTES;
  }

  /** Those that were dropped with what came first. */
  get #tables(): readonly Buffer[] {
    const { tables } = this.#source;
    if (!this.#hasDropped || tables === undefined) return [];
    return [packetize(tables.pat, PAT_PID), packetize(tables.pmt, tables.program.pmtPid)];
  }

  #keep(part: Buffer): void {
    this.#kept.push(part);
    this.#keptBytes += part.length;
    this.#soughtBytes += part.length;
    while (this.#keptBytes > MAX_KEPT_BYTES && this.#kept.length > 1) {
      this.#keptBytes -= this.#kept.shift()?.length ?? 0;
      this.#hasDropped = true;
    }
  }
}
