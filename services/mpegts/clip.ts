import { OutputLedger } from './output-ledger.ts';
import { PACKET_BYTES, PacketView, SYNC } from './packet.ts';
import { PesHeader } from './pes-header.ts';
import type { ProgramTables } from './program-watch.ts';
import { spliceOffset90k } from './timeline.ts';
import type { TimelineStart } from './timeline.ts';
import { TICKS_PER_SECOND, ahead90k } from './timestamps.ts';
import { TsAnalyser } from './ts-analyser.ts';

/** So many sync bytes a packet apart begin a clip. */
const PACKETS_TO_TRUST = 5;
const TICKS_PER_MS = TICKS_PER_SECOND / 1000;
const MIN_DURATION_MS = 200;
const MAX_DURATION_MS = 10 * 60 * 1000;

/** From `at` on, in bytes, until the next beat, packets are due `dueMs` after the clip's beginning. */
export type Beat = { readonly at: number; readonly dueMs: number };

/** A piece of MPEG-TS that can be played again and again. */
export type Clip = {
  /** Whole packets, from first to last. Do not modify. */
  readonly packets: Buffer;
  /** In order of both; the first is `{ at: 0, dueMs: 0 }`. */
  readonly beats: readonly Beat[];
  /** From one beginning to the next, when a `Splicer` has it follow itself. */
  readonly durationMs: number;
};

/** Why bytes are no clip. */
export type ClipFault =
  | 'not-mpeg-ts'
  | 'no-tables'
  | 'no-keyframe'
  | 'scrambled'
  /** Times are missing or run backwards, or it lasts less than 0.2 s or more than 10 min. */
  | 'no-usable-times';

/**
 * Reads a whole MPEG-TS file, which must hold PAT, PMT and a keyframe. Garbage before the first
 * packet and a cut packet at the end are left out. Never throws, and takes no copy.
 *
 * @returns the clip, or what is wrong with it.
 */
export function readClip(bytes: Buffer): Clip | ClipFault {
  const start = startOf(bytes);
  if (start === undefined) return 'not-mpeg-ts';
  const packets = bytes.subarray(start, start + wholeBytes(bytes.length - start));
  const reading = new ClipReading();
  reading.read(packets);
  return reading.faultOf() ?? clipOf(packets, reading);
}

function clipOf(packets: Buffer, { beats, durationMs }: ClipReading): Clip | ClipFault {
  const lastMs = beats.at(-1)?.dueMs ?? 0;
  const isInOrder = beats.every(({ dueMs }, index) => dueMs >= (beats[index - 1]?.dueMs ?? 0));
  const isUsable = durationMs >= MIN_DURATION_MS && durationMs <= MAX_DURATION_MS;
  if (!isInOrder || !isUsable || durationMs < lastMs) return 'no-usable-times';
  return { packets, beats, durationMs };
}

/** What one pass over the packets finds. */
class ClipReading {
  readonly #view = new PacketView();
  readonly #pes = new PesHeader();
  readonly #source = new TsAnalyser();
  readonly #ledger = new OutputLedger();
  readonly beats: Beat[] = [];
  #tables: ProgramTables | undefined;
  /** Where the latest unit of the main track began. */
  #unit: (TimelineStart & { readonly at: number }) | undefined;
  #start: TimelineStart | undefined;

  read(packets: Buffer): void {
    for (let at = 0; at < packets.length; at += PACKET_BYTES) {
      this.#view.read(packets, at);
      this.#see(at);
    }
  }

  faultOf(): ClipFault | undefined {
    if (this.#tables === undefined) return 'no-tables';
    if (this.#source.facts.scrambledPackets > 0) return 'scrambled';
    return this.#start === undefined ? 'no-keyframe' : undefined;
  }

  /** What a splicer adds to the clip's times each time it begins again. */
  get durationMs(): number {
    const start = this.#start;
    const offset90k = start === undefined ? undefined : spliceOffset90k(this.#ledger.end, start);
    return (offset90k ?? 0) / TICKS_PER_MS;
  }

  #see(at: number): void {
    const view = this.#view;
    const isKeyframe = this.#source.see(view, 0);
    const { tables } = this.#source;
    if (tables !== undefined && tables !== this.#tables) this.#ledger.follow(tables.program);
    this.#tables = tables;
    if (view.startsUnit && view.pid === this.#source.mainPid) this.#beginUnit(at);
    if (isKeyframe && this.#start === undefined) this.#begin();
    this.#ledger.see(view);
  }

  #beginUnit(at: number): void {
    this.#pes.read(this.#view);
    const { pts90k, dts90k } = this.#pes;
    if (pts90k < 0) return;
    this.#unit = { at, pts90k, dts90k };
    if (this.#start === undefined) return;
    this.beats.push({ at, dueMs: ahead90k(dts90k, this.#start.dts90k) / TICKS_PER_MS });
  }

  /** What comes before the first keyframe goes out with it. */
  #begin(): void {
    if (this.#unit === undefined) return;
    this.#start = this.#unit;
    this.beats.push({ at: 0, dueMs: 0 });
  }
}

const wholeBytes = (bytes: number): number => bytes - (bytes % PACKET_BYTES);

/** The first offset from which packets follow each other. */
function startOf(bytes: Buffer): number | undefined {
  const isStart = (at: number): boolean =>
    Array.from({ length: PACKETS_TO_TRUST }, (_, nth) => bytes[at + nth * PACKET_BYTES]).every(
      (byte) => byte === SYNC,
    );
  for (let at = 0; at < PACKET_BYTES; at += 1) if (isStart(at)) return at;
  return undefined;
}
