import { ImplicitKey } from './implicit-key.ts';
import { linesOf } from './lines.ts';
import { isUriLine } from './playlist-window.ts';
import type { SplicePlan } from './splice-plan.ts';
import { tagOf } from './tag-line.ts';

/** Tags that speak of the next segment only: they go with a segment that is left out. */
const OF_ONE_SEGMENT = new Set([
  'EXTINF',
  'EXT-X-BYTERANGE',
  'EXT-X-DISCONTINUITY',
  'EXT-X-PROGRAM-DATE-TIME',
  'EXT-X-GAP',
]);

/** Low-latency tags name segments by number or hang on reloads by number: without them it plays. */
const LOW_LATENCY = new Set([
  'EXT-X-SERVER-CONTROL',
  'EXT-X-PART-INF',
  'EXT-X-PART',
  'EXT-X-PRELOAD-HINT',
  'EXT-X-RENDITION-REPORT',
]);

const NUMBERING = new Set(['EXT-X-MEDIA-SEQUENCE', 'EXT-X-DISCONTINUITY-SEQUENCE']);

/**
 * Carries out a {@link SplicePlan} on the text of a media playlist: new numbers in front, leading
 * segments left out, a discontinuity where sources meet, and keys whose initialisation vector was
 * a segment's number spelled out with the number it had. All other lines stay as they are.
 */
export function splicePlaylist(text: string, plan: SplicePlan): string {
  const splicer = new Splicer(plan, text.includes('\r\n') ? '\r\n' : '\n');
  for (const { start, end, next } of linesOf(text)) {
    splicer.line(text.slice(start, end), text.slice(start, next));
  }
  return splicer.text;
}

class Splicer {
  readonly #plan: SplicePlan;
  readonly #lineEnd: string;
  readonly #key = new ImplicitKey();
  #segment = 0;
  #isMarked: boolean;
  text = '';

  constructor(plan: SplicePlan, lineEnd: string) {
    this.#plan = plan;
    this.#lineEnd = lineEnd;
    this.#isMarked = !plan.marksDiscontinuity;
  }

  /** @param whole - The line with its line end. */
  line(content: string, whole: string): void {
    const tag = tagOf(content);
    if (tag === 'EXTM3U') return this.#begin(content);
    if (tag === undefined) return this.#noTag(content, whole);
    if (NUMBERING.has(tag) || LOW_LATENCY.has(tag)) return;
    if (tag === 'EXT-X-KEY' && this.#plan.offset !== 0) this.#key.seen(content);
    if (OF_ONE_SEGMENT.has(tag)) return this.#ofSegment(tag, whole);
    this.text += whole;
  }

  #begin(content: string): void {
    const { firstSequence, discontinuitySequence } = this.#plan;
    this.#write(content);
    this.#write(`#EXT-X-MEDIA-SEQUENCE:${firstSequence}`);
    this.#write(`#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuitySequence}`);
  }

  #ofSegment(tag: string, whole: string): void {
    if (this.#isHidden) return;
    if (tag === 'EXTINF') this.#announce();
    this.text += whole;
  }

  #noTag(content: string, whole: string): void {
    if (!isUriLine(content)) {
      this.text += whole;
      return;
    }
    if (!this.#isHidden) this.text += whole;
    this.#segment += 1;
  }

  /** What has to stand in front of a segment besides its own tags. */
  #announce(): void {
    if (!this.#isMarked) this.#write('#EXT-X-DISCONTINUITY');
    this.#isMarked = true;
    const { firstSequence, offset, hide } = this.#plan;
    const sequence = firstSequence - offset - hide + this.#segment;
    const key = this.#key.spelledOut(sequence);
    if (key !== undefined) this.#write(key);
  }

  get #isHidden(): boolean {
    return this.#segment < this.#plan.hide;
  }

  #write(line: string): void {
    this.text += line + this.#lineEnd;
  }
}
