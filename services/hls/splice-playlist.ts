import { ImplicitKey } from './implicit-key.ts';
import { linesOf } from './lines.ts';
import { plainLine } from './plain-playlist.ts';
import { isUriLine } from './playlist-window.ts';
import { SkippedDate } from './skipped-date.ts';
import type { SplicePlan } from './splice-plan.ts';
import { inEpoch, wholeSequence } from './split-sequence.ts';
import { tagOf, valueOf } from './tag-line.ts';

/** Tags that speak of the next segment only: they go with a segment that is left out. */
const OF_ONE_SEGMENT = new Set([
  'EXTINF',
  'EXT-X-BYTERANGE',
  'EXT-X-DISCONTINUITY',
  'EXT-X-PROGRAM-DATE-TIME',
  'EXT-X-GAP',
]);

/** The numbers are written anew; and what has been spliced neither only grows nor stands still. */
const LEFT_OUT = new Set([
  'EXT-X-MEDIA-SEQUENCE',
  'EXT-X-DISCONTINUITY-SEQUENCE',
  'EXT-X-PLAYLIST-TYPE',
]);

/** Players of earlier versions know no initialisation vector (RFC 8216 §7). */
const VERSION_OF_IV = 2;

/**
 * Carries out a {@link SplicePlan} on the text of a media playlist: new numbers in front, leading
 * segments left out, a discontinuity where sources meet, and keys whose initialisation vector was
 * a segment's number spelled out with the number it had. Low-latency tags are left out: they name
 * segments by number, or hang on reloads by number. All other lines stay as they are.
 */
export function splicePlaylist(text: string, plan: SplicePlan): string {
  const splicer = new Splicer(plan, {
    lineEnd: /\r\n|\r|\n/.exec(text)?.[0] ?? '\n',
    // A text without one is of version 1 (RFC 8216 §4.3.1.2).
    hasVersion: /^#EXT-X-VERSION:/m.test(text),
    hasKeys: /^#EXT-X-KEY:/m.test(text),
  });
  for (const { start, end, next } of linesOf(text)) {
    splicer.line(text.slice(start, end), text.slice(start, next));
  }
  return splicer.text;
}

type Traits = {
  readonly lineEnd: string;
  readonly hasVersion: boolean;
  readonly hasKeys: boolean;
};

const isRenumbered = ({ offset, epoch, sourceEpoch }: SplicePlan): boolean =>
  offset !== 0 || epoch !== sourceEpoch;

class Splicer {
  readonly #plan: SplicePlan;
  readonly #traits: Traits;
  readonly #key = new ImplicitKey();
  readonly #date = new SkippedDate();
  #segment = 0;
  #isMarked: boolean;
  text = '';

  constructor(plan: SplicePlan, traits: Traits) {
    this.#plan = plan;
    this.#traits = traits;
    this.#isMarked = !plan.marksDiscontinuity;
  }

  /** @param whole - The line with its line end. */
  line(content: string, whole: string): void {
    const tag = tagOf(content);
    if (tag === 'EXTM3U') return this.#begin(content);
    if (tag === undefined) return this.#noTag(content, whole);
    if (LEFT_OUT.has(tag)) return;
    if (OF_ONE_SEGMENT.has(tag)) return this.#ofSegment(tag, content, whole);
    this.#ofPlaylist(tag, content, whole);
  }

  #ofPlaylist(tag: string, content: string, whole: string): void {
    if (tag === 'EXT-X-KEY' && isRenumbered(this.#plan)) this.#key.seen(content);
    const kept = tag === 'EXT-X-VERSION' ? this.#version(content) : plainLine(tag, content);
    if (kept === content) this.text += whole;
    else if (kept !== undefined) this.#write(kept);
  }

  #begin(content: string): void {
    const { epoch, firstSequence: rest, discontinuitySequence } = this.#plan;
    this.#write(content);
    if (this.#mayNeedIv && !this.#traits.hasVersion) this.#write(`#EXT-X-VERSION:${VERSION_OF_IV}`);
    this.#write(`#EXT-X-MEDIA-SEQUENCE:${wholeSequence({ ...inEpoch(epoch), rest })}`);
    this.#write(`#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuitySequence}`);
  }

  #ofSegment(tag: string, content: string, whole: string): void {
    if (this.#isHidden) return this.#date.seen(tag, content);
    if (tag === 'EXTINF') this.#announce();
    else if (tag === 'EXT-X-PROGRAM-DATE-TIME') this.#date.drop();
    this.text += whole;
  }

  #noTag(content: string, whole: string): void {
    if (!isUriLine(content)) {
      this.text += whole;
      return;
    }
    if (this.#isHidden) this.#date.passed();
    else this.#shown(whole);
    this.#segment += 1;
  }

  /** What has to stand in front of a segment besides its own tags. */
  #announce(): void {
    if (!this.#isMarked) this.#write('#EXT-X-DISCONTINUITY');
    this.#isMarked = true;
    const { firstSequence, offset, hide, sourceEpoch } = this.#plan;
    const rest = firstSequence - offset - hide + this.#segment;
    const key = this.#key.spelledOut({ ...inEpoch(sourceEpoch), rest });
    if (key !== undefined) this.#write(key);
  }

  #shown(whole: string): void {
    const date = this.#date.take();
    if (date !== undefined) this.#write(date);
    this.text += whole;
  }

  #version(content: string): string {
    const isTooLow = Number(valueOf(content)) < VERSION_OF_IV;
    return isTooLow && this.#mayNeedIv ? `#EXT-X-VERSION:${VERSION_OF_IV}` : content;
  }

  get #mayNeedIv(): boolean {
    return this.#traits.hasKeys && isRenumbered(this.#plan);
  }

  get #isHidden(): boolean {
    return this.#segment < this.#plan.hide;
  }

  #write(line: string): void {
    this.text += line + this.#traits.lineEnd;
  }
}
