import { Candidate } from './candidate.ts';
import { HoldQueue } from './hold-queue.ts';
import { planLayout } from './layout-plan.ts';
import { hevcEnd } from './made-packets.ts';
import { OutputLedger } from './output-ledger.ts';
import { PACKET_BYTES, PAT_PID, PacketView, SYNC } from './packet.ts';
import { PacketWriter } from './packet-writer.ts';
import type { ProgramTables } from './program-watch.ts';
import { Rewriter } from './rewriter.ts';
import { packetize } from './tables.ts';
import { ClockMap, spliceOffset90k } from './timeline.ts';
import type { TimelineEnd, TimelineStart } from './timeline.ts';
import { wrap90k } from './timestamps.ts';
import { TsAnalyser } from './ts-analyser.ts';
import type { TsFacts } from './ts-analyser.ts';

/** A picture of 4 MiB is more than any real one: what is larger is no longer held back. */
const MAX_HELD_PACKETS = Math.floor((4 * 1024 * 1024) / PACKET_BYTES);

/**
 * `passing`: bytes go through as they are. `seeking`: the new source has not given a keyframe yet,
 * nothing goes out. `rewriting`: packets are written as the continuation of the old source's.
 */
export type SpliceStage = 'passing' | 'seeking' | 'rewriting';

/**
 * Makes one transport stream of many sources, one after the other. One per relay.
 *
 * The first source passes untouched, except that packets wait from the start of a picture or audio
 * packet that has not come whole: at a switch they are left out, so that no decoder gets half of
 * one. After a switch the output goes on with the new source's first keyframe, on the PIDs,
 * counters and times of the old. Never throws, whatever the bytes.
 */
export class Splicer {
  readonly #view = new PacketView();
  readonly #ledger = new OutputLedger();
  readonly #hold = new HoldQueue();
  #stage: SpliceStage = 'passing';
  #source = new TsAnalyser();
  #candidate: Candidate | undefined;
  #rewriter: Rewriter | undefined;
  #layout: ProgramTables | undefined;
  #sourceTables: ProgramTables | undefined;
  #tablePackets = Buffer.alloc(0);
  #joins: number[] = [];
  #joinOffsets: number[] = [];

  get stage(): SpliceStage {
    return this.#stage;
  }

  /** What is known of the present source. */
  get facts(): TsFacts {
    return this.#source.facts;
  }

  /** Packets that wait for the rest of a picture or audio packet. */
  get heldPackets(): number {
    return this.#hold.packets;
  }

  /**
   * Where a joiner can begin in what the last `push` gave back, in bytes counted over all parts:
   * each offset is the start of a keyframe. A joiner is to be sent `tables()` first.
   */
  get joinOffsets(): readonly number[] {
    return this.#joinOffsets;
  }

  /** PAT and PMT of the output, whole packets; empty before they are known. Do not modify. */
  tables(): Buffer {
    return this.#tablePackets;
  }

  /**
   * Takes the next bytes of the present source and gives back what goes to viewers: slices of
   * `parts`, lent as they are, and memory that is the caller's.
   *
   * @param parts - Whole packets; anything else passes as it is.
   * @param nowMs - The time, on any clock, for `facts`.
   */
  push(parts: readonly Buffer[], nowMs = 0): readonly Buffer[] {
    this.#joinOffsets = [];
    if (!parts.every(isPackets)) return [...this.#hold.drain(), ...parts];
    if (this.#stage === 'passing') return this.#pass(parts, nowMs);
    return this.#continue(parts, nowMs);
  }

  /**
   * The present source is over; what is pushed next comes from another, or from the same one opened
   * anew. Gives back what was held and is whole; the rest is left out. Idempotent.
   */
  switchSource(): readonly Buffer[] {
    this.#joinOffsets = [];
    const isUntouched = this.#ledger.position === 0;
    this.#source = new TsAnalyser();
    this.#sourceTables = undefined;
    if (isUntouched) return [];
    const wasSeeking = this.#stage === 'seeking';
    this.#stage = 'seeking';
    this.#rewriter = undefined;
    this.#candidate = new Candidate(this.#source);
    return wasSeeking ? [] : this.#finish();
  }

  #pass(parts: readonly Buffer[], nowMs: number): readonly Buffer[] {
    const view = this.#view;
    for (const part of parts) {
      for (let at = 0; at < part.length; at += PACKET_BYTES) {
        view.read(part, at);
        const isKeyframe = this.#source.see(view, nowMs);
        if (this.#source.tables !== this.#sourceTables) this.#adopt();
        this.#ledger.see(view);
        if (isKeyframe) this.#noteJoin();
      }
    }
    return this.#release(parts, true);
  }

  /** The source's own layout is the output's. */
  #adopt(): void {
    this.#sourceTables = this.#source.tables;
    if (this.#sourceTables !== undefined) this.#useLayout(this.#sourceTables);
  }

  #useLayout(layout: ProgramTables): void {
    if (this.#layout === layout) return;
    this.#layout = layout;
    this.#ledger.follow(layout.program);
    const { pmtPid } = layout.program;
    this.#tablePackets = Buffer.concat([
      packetize(layout.pat, PAT_PID),
      packetize(layout.pmt, pmtPid),
    ]);
  }

  #continue(parts: readonly Buffer[], nowMs: number): readonly Buffer[] {
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    const writer = new PacketWriter(bytes / PACKET_BYTES + 8);
    const view = this.#view;
    for (const part of parts) {
      for (let at = 0; at < part.length; at += PACKET_BYTES) {
        view.read(part, at);
        const isKeyframe = this.#source.see(view, nowMs);
        if (this.#rewriter === undefined) this.#seek(view, isKeyframe, writer);
        else this.#rewrite(this.#rewriter, isKeyframe, writer);
      }
    }
    return this.#release([writer.written], false);
  }

  #rewrite(rewriter: Rewriter, isKeyframe: boolean, writer: PacketWriter): void {
    rewriter.write(this.#view, writer);
    if (isKeyframe) this.#noteJoin();
  }

  #seek(view: PacketView, isKeyframe: boolean, writer: PacketWriter): void {
    const candidate = this.#candidate;
    const search = candidate?.see(view, isKeyframe) ?? 'hopeless';
    const { tables } = this.#source;
    if (candidate === undefined || search !== 'start' || tables === undefined) return;
    this.#stage = 'rewriting';
    this.#candidate = undefined;
    this.#sourceTables = tables;
    const rewriter = this.#makeRewriter(tables, candidate);
    this.#rewriter = rewriter;
    rewriter.writeTables(writer);
    for (let at = 0; at < candidate.packets.length; at += PACKET_BYTES) {
      view.read(candidate.packets, at);
      rewriter.write(view, writer);
    }
    this.#noteJoin();
  }

  #makeRewriter(source: ProgramTables, { start, isScrambled }: Candidate): Rewriter {
    const plan = planLayout(this.#layout, source);
    const end = this.#end();
    const offset90k = start === undefined ? undefined : spliceOffset90k(end, start);
    this.#useLayout(plan.layout);
    return new Rewriter({
      plan,
      source,
      ledger: this.#ledger,
      offset90k: offset90k ?? 0,
      startPts90k: startInOutput(start, offset90k ?? 0),
      clock: offset90k === undefined ? undefined : new ClockMap(offset90k, end.pcr27m),
      marksDiscontinuity: !plan.isSame || isScrambled || offset90k === undefined,
    });
  }

  #end(): TimelineEnd {
    const { main, tracks, pcr27m } = this.#ledger;
    const isVideo = main?.kind === 'video';
    const audio = tracks.find(({ kind, endPts90k }) => kind === 'audio' && endPts90k >= 0);
    return {
      nextDts90k: main?.nextDts90k ?? -1,
      endPts90k: main?.endPts90k ?? -1,
      audioEnd90k: isVideo ? (audio?.endPts90k ?? -1) : -1,
      pcr27m,
    };
  }

  #noteJoin(): void {
    const { main } = this.#ledger;
    if (main !== undefined && main.unitStart >= 0) this.#joins.push(main.unitStart);
  }

  #release(parts: readonly Buffer[], isLent: boolean): readonly Buffer[] {
    let keep = this.#ledger.position - this.#ledger.heldFrom;
    if (keep > MAX_HELD_PACKETS) {
      this.#ledger.abandonOpen();
      keep = 0;
    }
    const from = this.#ledger.position - this.#hold.packets - packetsIn(parts);
    const until = this.#ledger.position - keep;
    this.#joinOffsets = this.#joins
      .filter((position) => position >= from && position < until)
      .map((position) => (position - from) * PACKET_BYTES);
    this.#joins = this.#joins.filter((position) => position >= until);
    return this.#hold.advance(parts, keep, isLent);
  }

  /** What is held and whole, and for HEVC the end of its sequence. */
  #finish(): readonly Buffer[] {
    const from = this.#ledger.position - this.#hold.packets;
    const held = this.#hold.drain();
    const writer = new PacketWriter(packetsIn(held));
    let position = from;
    for (const part of held) {
      for (let at = 0; at < part.length; at += PACKET_BYTES, position += 1) {
        this.#view.read(part, at);
        if (!this.#ledger.isUnfinished(this.#view.pid, position)) writer.append(part, at);
      }
    }
    this.#joins = [];
    this.#ledger.withdrawOpen(position - from - writer.packets);
    const { main } = this.#ledger;
    if (main?.codec !== 'hevc' || main.counter < 0) return [writer.written];
    const end = hevcEnd({ pid: main.pid, counter: main.counter + 1 }, main.isSized);
    this.#ledger.seeUnread(main);
    return [writer.written, end];
  }
}

const isPackets = (part: Buffer): boolean =>
  part.length % PACKET_BYTES === 0 && (part.length === 0 || part[0] === SYNC);

const packetsIn = (parts: readonly Buffer[]): number =>
  parts.reduce((sum, part) => sum + part.length, 0) / PACKET_BYTES;

const startInOutput = (start: TimelineStart | undefined, offset90k: number): number =>
  start === undefined ? -1 : wrap90k(start.pts90k + offset90k);
