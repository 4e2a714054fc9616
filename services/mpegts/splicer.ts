import { Candidate } from './candidate.ts';
import { isSameToViewers, planLayout } from './layout-plan.ts';
import { lookOf } from './look.ts';
import type { Look } from './look.ts';
import { Outgoing } from './outgoing.ts';
import type { JoinPoint } from './outgoing.ts';
import { OutputLedger } from './output-ledger.ts';
import { PACKET_BYTES, PAT_PID, PacketView, SYNC } from './packet.ts';
import { PacketWalk } from './packet-walk.ts';
import { PacketWriter } from './packet-writer.ts';
import type { ProgramTables } from './program-watch.ts';
import type { Track } from './program.ts';
import { Rewriter } from './rewriter.ts';
import { TableCounters, isReservedForTables, recounted } from './table-counters.ts';
import { countedUpTo, packetize } from './tables.ts';
import { ClockMap, spliceOffset90k } from './timeline.ts';
import type { TimelineStart } from './timeline.ts';
import { wrap90k } from './timestamps.ts';
import { TsAnalyser } from './ts-analyser.ts';
import type { TsFacts } from './ts-analyser.ts';

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
  readonly #walk = new PacketWalk();
  readonly #ledger = new OutputLedger();
  readonly #outgoing = new Outgoing(this.#ledger);
  #stage: SpliceStage = 'passing';
  #source = new TsAnalyser();
  #candidate: Candidate | undefined;
  #rewriter: Rewriter | undefined;
  #layout: ProgramTables | undefined;
  /** What each PID that was sent has meant; there are no more than 8192. */
  readonly #meanings = new Map<number, Track['codec']>();
  #sourceTables: ProgramTables | undefined;
  #tablePackets: readonly Buffer[] = [];
  readonly #tableCounters = new TableCounters();
  /** What the present source's packets have become and has not been let out yet. */
  #writer = new PacketWriter(0);

  get stage(): SpliceStage {
    return this.#stage;
  }

  /** What is known of the present source. */
  get facts(): TsFacts {
    return this.#source.facts;
  }

  /** The program clock that was sent last, 27 MHz; -1 before the first. */
  get pcr27m(): number {
    return this.#ledger.pcr27m;
  }

  /** Packets that wait for the rest of a picture or audio packet. */
  get heldPackets(): number {
    return this.#outgoing.heldPackets;
  }

  /** Where a joiner can begin in what the last `push` gave back; it is to be sent the tables first. */
  get joins(): readonly JoinPoint[] {
    return this.#outgoing.joins;
  }

  /** PAT and PMT of the output are known. */
  get hasTables(): boolean {
    return this.#layout !== undefined;
  }

  /** What viewers' decoders are set up for; undefined where that is not known yet. */
  get look(): Look | undefined {
    return this.#layout && lookOf(this.#layout.program, this.#ledger);
  }

  /**
   * Takes the next bytes of the present source and gives back what goes to viewers: slices of
   * `parts`, lent as they are, and memory that is the caller's.
   *
   * @param parts - Whole packets. Anything else passes as it is, unless viewers have been sent a
   *   transport stream already: then it is left out.
   * @param nowMs - The time, on any clock, for `facts`.
   */
  push(parts: readonly Buffer[], nowMs = 0): readonly Buffer[] {
    this.#outgoing.begin();
    for (const part of parts) {
      if (isPackets(part)) this.#take(part, nowMs);
      else if (this.#layout === undefined) this.#outgoing.pass(part);
    }
    return this.#outgoing.parts;
  }

  /**
   * The present source is over; what is pushed next comes from another, or from the same one opened
   * anew. Gives back what was held and is whole; the rest is left out. Idempotent.
   */
  switchSource(): readonly Buffer[] {
    this.#outgoing.begin();
    const hasSent = this.#ledger.position > 0;
    this.#source = new TsAnalyser();
    this.#sourceTables = undefined;
    if (hasSent) this.#breakOff();
    return this.#outgoing.parts;
  }

  #take(part: Buffer, nowMs: number): void {
    const from = this.#stage === 'passing' ? this.#pass(part, nowMs) : 0;
    if (from === part.length) return;
    this.#writer = new PacketWriter((part.length - from) / PACKET_BYTES + 8);
    const walk = this.#walk;
    for (walk.begin(part, from); !walk.isOver;) {
      if (this.#continueRun(nowMs)) {
        walk.advance(walk.packets);
        continue;
      }
      this.#view.read(part, walk.at);
      this.#continue(nowMs);
      walk.advance(1);
    }
    this.#flush();
  }

  #flush(): void {
    this.#outgoing.release(this.#writer.written, false);
    this.#writer = new PacketWriter(0);
  }

  /** Returns how far the source went on as one stream. */
  #pass(part: Buffer, nowMs: number): number {
    const view = this.#view;
    const walk = this.#walk;
    let from = 0;
    for (walk.begin(part); !walk.isOver;) {
      if (!isReservedForTables(walk.pid) && this.#source.seeRun(walk, nowMs)) {
        this.#ledger.seeRun(walk);
        walk.advance(walk.packets);
        continue;
      }
      const { at } = walk;
      view.read(part, at);
      if (view.startsUnit && this.#ledger.leaps(view, 0)) return this.#breakOffAt(part, from, at);
      const isKeyframe = this.#source.see(view, nowMs);
      const isForeign = this.#source.tables !== this.#sourceTables && !this.#adopts();
      if (isForeign) return this.#breakOffAt(part, from, at) + PACKET_BYTES;
      if (this.#recounts(part, from)) from = at + PACKET_BYTES;
      else this.#ledger.see(view);
      if (isKeyframe) this.#noteJoin();
      walk.advance(1);
    }
    this.#outgoing.release(part.subarray(from), true);
    return part.length;
  }

  #breakOffAt(part: Buffer, from: number, at: number): number {
    this.#outgoing.release(part.subarray(from, at), true);
    this.#breakOff();
    return at;
  }

  /** Sends what has come, and a table's packet with the counter that is due; false if it has it. */
  #recounts(part: Buffer, from: number): boolean {
    const { pid, at, counter } = this.#view;
    if (!isReservedForTables(pid) && !this.#source.isTable(pid)) return false;
    const due = this.#tableCounters.next(this.#view);
    if (due === counter) return false;
    this.#outgoing.release(part.subarray(from, at), true);
    const packet = recounted(part.subarray(at, at + PACKET_BYTES), due);
    this.#ledger.seeAt(packet, 0);
    this.#outgoing.release(packet, false);
    return true;
  }

  /** The source's own layout is the output's, unless viewers have been sent pictures in another. */
  #adopts(): boolean {
    const before = this.#sourceTables;
    const now = this.#source.tables;
    this.#sourceTables = now;
    const isNew = before !== undefined && !isSameToViewers(before.program, now?.program);
    if (isNew && (this.#ledger.main?.nextDts90k ?? -1) >= 0) return false;
    if (now !== undefined) this.#useLayout(now);
    return true;
  }

  #useLayout(layout: ProgramTables): void {
    if (this.#layout === layout) return;
    this.#layout = layout;
    this.#ledger.follow(layout.program);
    for (const { pid, codec } of layout.program.tracks) this.#meanings.set(pid, codec);
    const { pmtPid } = layout.program;
    this.#tablePackets = [packetize(layout.pat, PAT_PID), packetize(layout.pmt, pmtPid)];
  }

  /** What was sent ends here, and what comes has to follow it. */
  #breakOff(): void {
    this.#flush();
    if (this.#stage !== 'seeking') this.#outgoing.finish();
    this.#stage = 'seeking';
    this.#rewriter = undefined;
    this.#candidate = new Candidate(this.#source);
  }

  /** What is being looked for is looked for in every packet. */
  #continueRun(nowMs: number): boolean {
    if (this.#rewriter === undefined || !this.#source.seeRun(this.#walk, nowMs)) return false;
    this.#rewriter.writeRun(this.#walk, this.#writer);
    return true;
  }

  #continue(nowMs: number): void {
    const view = this.#view;
    if (view.startsUnit && this.#rewriter?.leaps(view)) this.#breakOff();
    const isKeyframe = this.#source.see(view, nowMs);
    if (this.#rewriter !== undefined && this.#source.tables !== this.#sourceTables)
      this.#relayout();
    if (this.#rewriter === undefined) return this.#seek(view, isKeyframe);
    this.#rewriter.write(view, this.#writer);
    if (isKeyframe) this.#noteJoin();
  }

  /** The source has changed its own tables. */
  #relayout(): void {
    const before = this.#sourceTables;
    const now = this.#source.tables;
    this.#sourceTables = now;
    if (before !== undefined && !isSameToViewers(before.program, now?.program)) this.#breakOff();
  }

  #seek(view: PacketView, isKeyframe: boolean): void {
    const candidate = this.#candidate;
    const search = candidate?.see(view, isKeyframe);
    if (search === 'hopeless') this.#giveUp();
    const { tables } = this.#source;
    if (candidate === undefined || search !== 'start' || tables === undefined) return;
    this.#stage = 'rewriting';
    this.#candidate = undefined;
    this.#sourceTables = tables;
    const rewriter = this.#makeRewriter(tables, candidate);
    this.#rewriter = rewriter;
    rewriter.writeTables(this.#writer);
    rewriter.writeAudio(candidate.audio, this.#writer);
    for (let at = 0; at < candidate.packets.length; at += PACKET_BYTES) {
      view.read(candidate.packets, at);
      rewriter.write(view, this.#writer);
    }
    this.#noteJoin();
  }

  /** Who begins here gets tables after which those of the stream are the next. */
  #noteJoin(): void {
    const counted = this.#tablePackets.map((packets) => {
      const pid = packets.readUInt16BE(1) & 0x1fff;
      return countedUpTo(packets, this.#ledger.track(pid)?.counter ?? -1);
    });
    this.#outgoing.noteJoin(Buffer.concat(counted));
  }

  /** Better the source as it is than nothing. */
  #giveUp(): void {
    this.#stage = 'passing';
    this.#candidate = undefined;
    this.#sourceTables = undefined;
  }

  #makeRewriter(source: ProgramTables, { start, isScrambled }: Candidate): Rewriter {
    const plan = planLayout(this.#layout, source, this.#meanings);
    const { end } = this.#ledger;
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
}

const isPackets = (part: Buffer): boolean =>
  part.length % PACKET_BYTES === 0 && (part.length === 0 || part[0] === SYNC);

const startInOutput = (start: TimelineStart | undefined, offset90k: number): number =>
  start === undefined ? -1 : wrap90k(start.pts90k + offset90k);
