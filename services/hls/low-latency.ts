import { linesOf } from './lines.ts';
import { isUriLine } from './playlist-window.ts';
import { inEpoch, splitSequence } from './split-sequence.ts';
import type { SplitSequence } from './split-sequence.ts';
import { attributesOf, tagOf, valueOf } from './tag-line.ts';

/** A place in a low-latency playlist: a segment, or one part of it (counted from 0). */
export type ReloadPosition = {
  /** Within its epoch (`SplitSequence`). */
  readonly sequence: number;
  readonly epoch?: number;
  /** `undefined`: the whole segment. */
  readonly part: number | undefined;
};

/** What `EXT-X-SKIP` says of a delta update (`_HLS_skip`). */
export type DeltaFacts = {
  /** Segments that are left out, from the first number of the playlist on. */
  readonly skippedSegments: number;
  /** The number of the first segment that is listed. */
  readonly firstListed: number;
  /** Identifiers of date ranges that have gone since; empty where none is named. */
  readonly removedDateRanges: readonly string[];
};

/** The low-latency part of a media playlist (RFC 8216bis §4.4.3.7, §4.4.3.8, §6.2.5). */
export type LowLatencyFacts = {
  /** `EXT-X-PART-INF`: no part is longer. Milliseconds; `undefined`: there are no parts. */
  readonly partTargetMs: number | undefined;
  /** The server holds a reload (`_HLS_msn`, `_HLS_part`) until it has what is asked for. */
  readonly canBlockReload: boolean;
  /** What is older than this may be left out of a delta update. Milliseconds. */
  readonly canSkipUntilMs: number | undefined;
  /** `_HLS_skip=v2` leaves out date ranges as well. */
  readonly canSkipDateRanges: boolean;
  readonly holdBackMs: number | undefined;
  readonly partHoldBackMs: number | undefined;
  /** The last segment that is complete: its number, and in how many parts it is listed (or 0). */
  readonly lastSequence: number;
  /** Of all numbers here (`SplitSequence`). */
  readonly epoch?: number;
  readonly partsOfLast: number;
  /** Parts of the segment after that, which is still being made. */
  readonly trailingParts: number;
  readonly delta: DeltaFacts | undefined;
};

/**
 * Reads what a low-latency engine has to know of a media playlist. Never throws.
 *
 * @param text - A media playlist, full or a delta update. Linear in its length.
 * @returns `undefined` where the numbers are none that arithmetic can hold. A plain playlist has
 *   facts too: `canBlockReload` is false and `partTargetMs` undefined. `lastSequence` is one less
 *   than the first number while nothing is listed.
 */
export function lowLatencyOf(text: string): LowLatencyFacts | undefined {
  const reader = new LowLatencyReader();
  for (const { start, end } of linesOf(text)) reader.line(text.slice(start, end));
  const { facts } = reader;
  return Number.isSafeInteger(facts.lastSequence) ? facts : undefined;
}

/**
 * Whether a playlist lists what a blocking reload asks for, so that it is answered at once
 * (RFC 8216bis §6.2.5.2). A part beyond a segment's last one means the next segment's first.
 */
export function listsPosition(facts: LowLatencyFacts, position: ReloadPosition): boolean {
  if (position.epoch !== facts.epoch) return (position.epoch ?? 0) < (facts.epoch ?? 0);
  return listsNumber(facts, position);
}

function listsNumber(facts: LowLatencyFacts, { sequence, part }: ReloadPosition): boolean {
  const { lastSequence, partsOfLast, trailingParts } = facts;
  if (sequence < lastSequence) return true;
  if (sequence > lastSequence + 1) return false;
  if (sequence > lastSequence) return part !== undefined && part < trailingParts;
  const isBeyond = part !== undefined && partsOfLast > 0 && part >= partsOfLast;
  return !isBeyond || trailingParts > 0;
}

class LowLatencyReader {
  #control = new Map<string, string>();
  #partTargetMs: number | undefined;
  #first: SplitSequence = { rest: 0 };
  #segments = 0;
  #parts = 0;
  #partsOfLast = 0;
  #skip: ReadonlyMap<string, string> | undefined;

  get facts(): LowLatencyFacts {
    const control = this.#control;
    const skipped = this.#skippedSegments;
    return {
      partTargetMs: this.#partTargetMs,
      canBlockReload: control.get('CAN-BLOCK-RELOAD') === 'YES',
      canSkipUntilMs: milliseconds(control.get('CAN-SKIP-UNTIL')),
      canSkipDateRanges: control.get('CAN-SKIP-DATERANGES') === 'YES',
      holdBackMs: milliseconds(control.get('HOLD-BACK')),
      partHoldBackMs: milliseconds(control.get('PART-HOLD-BACK')),
      lastSequence: this.#first.rest + skipped + this.#segments - 1,
      ...inEpoch(this.#first.epoch),
      partsOfLast: this.#partsOfLast,
      trailingParts: this.#parts,
      delta: this.#skip && {
        skippedSegments: skipped,
        firstListed: this.#first.rest + skipped,
        removedDateRanges: namesIn(this.#skip.get('RECENTLY-REMOVED-DATERANGES')),
      },
    };
  }

  line(line: string): void {
    const tag = tagOf(line);
    if (tag === undefined) {
      if (isUriLine(line)) this.#segment();
    } else if (tag === 'EXT-X-MEDIA-SEQUENCE') this.#first = splitSequence(valueOf(line));
    else if (tag === 'EXT-X-SERVER-CONTROL') this.#control = valuesOf(line);
    else if (tag === 'EXT-X-PART-INF') {
      this.#partTargetMs = milliseconds(valuesOf(line).get('PART-TARGET'));
    } else if (tag === 'EXT-X-PART') this.#parts += 1;
    else if (tag === 'EXT-X-SKIP') this.#skip = valuesOf(line);
  }

  #segment(): void {
    this.#segments += 1;
    this.#partsOfLast = this.#parts;
    this.#parts = 0;
  }

  get #skippedSegments(): number {
    return Number(this.#skip?.get('SKIPPED-SEGMENTS') ?? 0);
  }
}

const valuesOf = (line: string): Map<string, string> =>
  new Map(attributesOf(line).map(({ name, value }) => [name, value]));

function milliseconds(seconds: string | undefined): number | undefined {
  const value = seconds === undefined ? Number.NaN : Number.parseFloat(seconds);
  // Seconds have at most a few decimals; what binary makes of them is no information.
  return Number.isFinite(value) && value >= 0 ? Math.round(value * 1_000_000) / 1000 : undefined;
}

/** RFC 8216bis §4.4.5.2: tab-delimited. */
const namesIn = (list: string | undefined): string[] =>
  (list ?? '').split('\t').filter((name) => name !== '');
