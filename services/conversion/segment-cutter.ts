import type { Clock } from '#kernel/clock';
import {
  PACKET_BYTES,
  PacketAligner,
  TICKS_PER_SECOND,
  TsAnalyser,
  ahead90k,
  readPacket,
} from '#mpegts';
import type { ProgramTables } from '#mpegts';
import { isDue, isOverdue } from './cut-policy.ts';
import { OpenSegment } from './open-segment.ts';
import { TableWriter } from './table-writer.ts';

/** A finished segment: tables, then from a keyframe to before another. */
export type CutSegment = {
  readonly bytes: Buffer;
  /** By presentation times. */
  readonly durationMs: number;
  /** Epoch milliseconds: when its first picture is due. */
  readonly startsAtMs: number;
  /** Tracks or times do not go on from the segment before. */
  readonly startsAnew: boolean;
  /** It begins with a keyframe. */
  readonly isIndependent: boolean;
};

export type SegmentCutterOptions = {
  readonly targetMs: number;
  /** A segment ends when it has grown to this, wherever that is. */
  readonly mostBytes: number;
  readonly clock: Clock;
  readonly cut: (segment: CutSegment) => void;
};

/** The first segments are short, so that players begin soon. */
const EARLY_SEGMENTS = 2;
/** Times that step further do not go on. */
const MOST_BACK_MS = 1_000;
const MOST_AHEAD_MS = 10_000;
const TICKS_PER_MS = TICKS_PER_SECOND / 1000;

/**
 * A unit of the main track: a picture, or a packet of sound where there are no pictures. Its place
 * counts the packets of the open segment.
 */
type Unit = { readonly at: number; readonly pts90k: number };

/** How the open segment began. */
type Start = {
  readonly pts90k: number;
  readonly tables: ProgramTables;
  readonly startsAtMs: number;
  readonly startsAnew: boolean;
  readonly isIndependent: boolean;
};

/**
 * Cuts one transport stream into segments, each of which a decoder can begin with. Cuts nothing
 * else: packets stay in their order, and only counters of tables are written anew, as each segment
 * begins with the tables. Keeps no more than the segment that is being filled.
 */
export class SegmentCutter {
  readonly #options: SegmentCutterOptions;
  readonly #aligner = new PacketAligner();
  readonly #analyser = new TsAnalyser();
  readonly #writer = new TableWriter();
  readonly #open = new OpenSegment();
  #tables: ProgramTables | undefined;
  #start: Start | undefined;
  #unit: Unit | undefined;
  #unitBefore: Unit | undefined;
  #keyPts90k = -1;
  #gopMs = 0;
  #endsAtMs = 0;
  #segments = 0;
  /** The tracks have changed: the next keyframe begins a segment. */
  #isNewLayout = false;

  constructor(options: SegmentCutterOptions) {
    this.#options = options;
  }

  /** From one keyframe to the next, the last time; 0 before two have come. */
  get gopMs(): number {
    return this.#gopMs;
  }

  /** Takes the next bytes, which may be lent: they are copied. */
  push(bytes: Buffer): void {
    const parts = this.#aligner.align(bytes);
    if (parts.length === 0) return;
    const packets = Buffer.concat(parts);
    this.#analyser.push([packets]);
    this.#adoptTables();
    const before = this.#open.packets;
    this.#open.add(packets);
    const keys = new Set(this.#analyser.keyframeStarts);
    const late = this.#unit;
    // A keyframe that began in an earlier push is recognised only now.
    const isLate = late !== undefined && keys.has(late.at - before);
    const taken = isLate ? this.#meet(late, true) : 0;
    this.#walk(packets, keys, before - taken);
    if (this.#start === undefined) this.#forgetOld();
  }

  #adoptTables(): void {
    const { tables } = this.#analyser;
    if (tables === undefined || tables === this.#tables) return;
    const isOther = this.#tables !== undefined && essenceOf(tables) !== essenceOf(this.#tables);
    this.#isNewLayout ||= isOther;
    this.#tables = tables;
  }

  #walk(packets: Buffer, keys: ReadonlySet<number>, before: number): void {
    let base = before;
    for (let at = 0; at < packets.length; at += PACKET_BYTES) {
      const { pid, startsUnit, pts90k } = readPacket(packets, at);
      if (pid !== this.#analyser.mainPid || !startsUnit) continue;
      const place = at / PACKET_BYTES;
      this.#unitBefore = this.#unit;
      const unit = { at: base + place, pts90k: pts90k < 0 ? this.#arrival90k() : pts90k };
      base -= this.#meet(unit, keys.has(place));
    }
  }

  /** @returns how many packets were taken out of the open segment. */
  #meet(unit: Unit, isKey: boolean): number {
    this.#unit = unit;
    if (this.#start === undefined) return isKey ? this.#begin(unit, isKey, false) : 0;
    const stepMs = this.#unitBefore === undefined ? 0 : msBetween(this.#unitBefore, unit);
    const leaps = stepMs < -MOST_BACK_MS || stepMs > MOST_AHEAD_MS;
    if (!this.#isCut(unit, isKey, leaps)) return 0;
    const end = leaps ? this.#unitBefore : unit;
    this.#finish(this.#start, unit.at, end ?? unit);
    return unit.at + this.#begin({ ...unit, at: 0 }, isKey, leaps || this.#isNewLayout);
  }

  #isCut(unit: Unit, isKey: boolean, leaps: boolean): boolean {
    const { targetMs, mostBytes } = this.#options;
    if (unit.at * PACKET_BYTES >= mostBytes) return true;
    const durationMs = msSince(this.#start?.pts90k ?? unit.pts90k, unit);
    if (!isKey) return !leaps && isOverdue(durationMs, targetMs);
    const gopMs = Math.max(0, msSince(this.#keyPts90k, unit));
    this.#gopMs = gopMs;
    this.#keyPts90k = unit.pts90k;
    const isEarly = this.#segments < EARLY_SEGMENTS;
    const breaks = leaps || this.#isNewLayout;
    return isDue({ durationMs, gopMs, targetMs, isEarly, breaks });
  }

  /** @returns how many packets before it were left out. */
  #begin(unit: Unit, isIndependent: boolean, startsAnew: boolean): number {
    if (this.#tables === undefined) return 0;
    this.#open.take(unit.at);
    const isAnchored = this.#start !== undefined && !startsAnew;
    const startsAtMs = isAnchored ? this.#endsAtMs : this.#options.clock.nowMs();
    const { pts90k } = unit;
    this.#start = { pts90k, tables: this.#tables, startsAtMs, startsAnew, isIndependent };
    this.#keyPts90k = pts90k;
    this.#unit = { pts90k, at: 0 };
    this.#isNewLayout = false;
    return unit.at;
  }

  #finish(start: Start, until: number, end: Unit): void {
    const durationMs = Math.max(1, msSince(start.pts90k, end));
    const bytes = this.#writer.lead(start.tables, this.#open.take(until));
    const { startsAtMs, startsAnew, isIndependent } = start;
    this.#segments += 1;
    this.#endsAtMs = startsAtMs + durationMs;
    this.#options.cut({ bytes, durationMs, startsAtMs, startsAnew, isIndependent });
  }

  /** Nothing has begun yet: only the last unit may turn out to be a keyframe. */
  #forgetOld(): void {
    const { mostBytes } = this.#options;
    const isTooMuch = this.#open.packets * PACKET_BYTES > mostBytes;
    const from = isTooMuch ? this.#open.packets : (this.#unit?.at ?? this.#open.packets);
    this.#open.take(from);
    this.#unit = isTooMuch || this.#unit === undefined ? undefined : { ...this.#unit, at: 0 };
  }

  /** Where a unit says no time, that of its coming stands in. */
  #arrival90k(): number {
    return Math.round(this.#options.clock.monotonicMs() * TICKS_PER_MS);
  }
}

const msSince = (pts90k: number, unit: Unit): number =>
  pts90k < 0 ? 0 : ahead90k(unit.pts90k, pts90k) / TICKS_PER_MS;

const msBetween = (from: Unit, to: Unit): number => msSince(from.pts90k, to);

const essenceOf = ({ program }: ProgramTables): string =>
  JSON.stringify([program.pcrPid, program.tracks.map(({ pid, codec }) => [pid, codec])]);
