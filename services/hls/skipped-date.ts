import { valueOf } from './tag-line.ts';

/**
 * The date of the first segment shown, where `EXT-X-PROGRAM-DATE-TIME` stood before one that is
 * left out: players count on from it by the durations (RFC 8216 §4.3.2.6), and so does this.
 */
export class SkippedDate {
  #dateMs: number | undefined;
  #durationMs = 0;

  /** Takes a tag line of a segment that is left out. */
  seen(tag: string, line: string): void {
    if (tag === 'EXTINF') this.#durationMs = Number.parseFloat(valueOf(line)) * 1000;
    else if (tag === 'EXT-X-PROGRAM-DATE-TIME') this.#dateMs = Date.parse(valueOf(line));
  }

  /** The segment that the last tags were about is over. */
  passed(): void {
    if (this.#dateMs !== undefined) this.#dateMs += this.#durationMs;
    this.#durationMs = 0;
  }

  /** The tag line for the segment that comes next; only once, and none where nothing is known. */
  take(): string | undefined {
    const date = new Date(Math.round(this.#dateMs ?? Number.NaN));
    this.#dateMs = undefined;
    if (Number.isNaN(date.getTime())) return undefined;
    return `#EXT-X-PROGRAM-DATE-TIME:${date.toISOString()}`;
  }

  /** A segment that is shown has a date of its own. */
  drop(): void {
    this.#dateMs = undefined;
  }
}
