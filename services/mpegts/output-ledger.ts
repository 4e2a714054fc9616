import { OutputTrack } from './output-track.ts';
import { PAT_PID, PacketView } from './packet.ts';
import type { PacketRun } from './packet-walk.ts';
import { PesHeader } from './pes-header.ts';
import { PidTable } from './pid-table.ts';
import { mainTrackOf } from './program.ts';
import type { Program } from './program.ts';
import type { TimelineEnd } from './timeline.ts';
import {
  PCR_PER_TICK,
  TICKS_PER_SECOND,
  ahead27m,
  ahead90k,
  readPcr27m,
  wrap27m,
  wrap90k,
} from './timestamps.ts';

const MAX_TRACKS = 128;
/**
 * A PES packet that is still unfinished after so many others began will not be finished: its track
 * has died. At 25 pictures and 47 audio packets a second this is about a second.
 */
const MAX_BEGUN_MEANWHILE = 72;

/** Smaller steps back are a sender's slip; players live with them. */
const MAX_STEP_BACK_90K = TICKS_PER_SECOND / 2;
/** Shorter gaps are a source's own silence. */
const MAX_STEP_AHEAD_90K = 10 * TICKS_PER_SECOND;

const tableTrack = (pid: number) => ({ pid, kind: 'other', codec: 'unknown' }) as const;

/** What viewers have been sent: read from the packets themselves, whoever made them. */
export class OutputLedger {
  readonly #view = new PacketView();
  readonly #pes = new PesHeader();
  #tracks = new PidTable<OutputTrack>(MAX_TRACKS);
  #main: OutputTrack | undefined;
  #pcrPid = -1;
  #pcr27m = -1;
  #margin27m: number | undefined;
  #begun = 0;
  #position = 0;

  constructor() {
    this.#tracks.set(PAT_PID, new OutputTrack(tableTrack(PAT_PID)));
  }

  /** Packets sent or held back. */
  get position(): number {
    return this.#position;
  }

  /** The track whose keyframes count. */
  get main(): OutputTrack | undefined {
    return this.#main;
  }

  get tracks(): readonly OutputTrack[] {
    return this.#tracks.values;
  }

  /** The last program clock sent, in 27 MHz ticks; −1: none. */
  get pcr27m(): number {
    return this.#pcr27m;
  }

  /** Where time stands, were the output to end here. */
  get end(): TimelineEnd {
    const main = this.#main;
    const isVideo = main?.kind === 'video';
    const audio = this.tracks.find(({ kind, endPts90k }) => kind === 'audio' && endPts90k >= 0);
    return {
      nextDts90k: main?.nextDts90k ?? -1,
      endPts90k: main?.endPts90k ?? -1,
      audioEnd90k: isVideo ? (audio?.endPts90k ?? -1) : -1,
      pcr27m: this.#pcr27m,
    };
  }

  /** How far decoding times are ahead of the program clock; undefined before both were seen. */
  get margin27m(): number | undefined {
    return this.#margin27m;
  }

  track(pid: number): OutputTrack | undefined {
    return this.#tracks.get(pid);
  }

  /** From now on the output has this layout. What is known of tracks that stay is kept. */
  follow(program: Program): void {
    const before = this.#tracks;
    this.#tracks = new PidTable(MAX_TRACKS);
    const tables = [PAT_PID, program.pmtPid].map(tableTrack);
    for (const track of [...tables, ...program.tracks]) {
      const known = before.get(track.pid);
      const isKnown = known !== undefined && known.codec === track.codec;
      const fresh = new OutputTrack(track);
      if (known !== undefined) fresh.counter = known.counter;
      this.#tracks.set(track.pid, isKnown ? known : fresh);
    }
    // The counter of what comes no more is kept: it may come again, or go on with the clock alone.
    for (const { pid, counter } of before.values) {
      if (this.#tracks.get(pid) !== undefined) continue;
      const gone = new OutputTrack(tableTrack(pid));
      gone.counter = counter;
      this.#tracks.set(pid, gone);
    }
    this.#pcrPid = program.pcrPid;
    this.#main = this.#tracks.get(mainTrackOf(program)?.pid ?? -1);
  }

  /** One packet more. */
  see(view: PacketView): void {
    const position = this.#position;
    this.#position += 1;
    const track = this.#tracks.get(view.pid);
    if (track !== undefined) this.#seeTrack(track, view, position);
    if (view.flags !== 0 && view.pid === this.#pcrPid) this.#seeClock(view);
  }

  /** Plain packets more. */
  seeRun(run: PacketRun): void {
    this.#position += run.packets;
    this.#tracks.get(run.pid)?.seeRun(run);
  }

  /**
   * The packet starts a unit whose time does not follow what was sent of its track: the source has
   * begun again or leapt ahead.
   * @param offset90k - Added to the packet's times first.
   */
  leaps(view: PacketView, offset90k: number, track = this.#tracks.get(view.pid)): boolean {
    if (track === undefined || !isHeld(track) || view.isScrambled) return false;
    const last90k = track.dts90k;
    if (last90k < 0) return false;
    this.#pes.read(view);
    if (this.#pes.dts90k < 0) return false;
    const step90k = ahead90k(wrap90k(this.#pes.dts90k + offset90k), last90k);
    return step90k < -MAX_STEP_BACK_90K || step90k > MAX_STEP_AHEAD_90K;
  }

  /** One packet more, which is not read yet. */
  seeAt(bytes: Buffer, at: number): void {
    this.#view.read(bytes, at);
    this.see(this.#view);
  }

  /** One packet more on this track, with payload that belongs to no picture. */
  seeUnread(track: OutputTrack): void {
    this.#position += 1;
    track.counter = (track.counter + 1) & 0x0f;
  }

  /** Position from which packets wait because a picture or an audio packet is not whole yet. */
  get heldFrom(): number {
    let from = this.#position;
    for (const track of this.#tracks.values) {
      if (!track.isOpen) continue;
      if (this.#begun - track.openedAt > MAX_BEGUN_MEANWHILE) track.abandon();
      else if (isHeld(track)) from = Math.min(from, track.unitStart);
    }
    return from;
  }

  /** No unfinished PES packet is waited for any longer. */
  abandonOpen(): void {
    for (const track of this.#tracks.values) if (track.isOpen) track.abandon();
  }

  /** The track of a held packet that belongs to a PES packet which is not whole. */
  unfinishedAt(pid: number, position: number): OutputTrack | undefined {
    const track = this.#tracks.get(pid);
    const isOpen = track !== undefined && track.isOpen && isHeld(track);
    return isOpen && position >= track.unitStart ? track : undefined;
  }

  /** Unfinished PES packets were left out, so what remains ends here. @param packets - Left out. */
  withdrawOpen(packets: number): void {
    for (const track of this.#tracks.values) {
      if (isHeld(track) && track.isOpen) track.withdraw();
      else track.abandon();
    }
    this.#position -= packets;
  }

  #seeTrack(track: OutputTrack, view: PacketView, position: number): void {
    if (view.startsUnit) {
      this.#pes.read(view);
      if (view.isScrambled) this.#pes.forget();
      this.#begun += 1;
      track.openedAt = this.#begun;
    }
    track.see(view, this.#pes, position);
  }

  #seeClock(view: PacketView): void {
    const at = view.pcrAt;
    if (at < 0) return;
    this.#pcr27m = readPcr27m(view.bytes, at);
    const dts90k = this.#main?.dts90k ?? -1;
    if (dts90k < 0) return;
    this.#margin27m = ahead27m(wrap27m(dts90k * PCR_PER_TICK), this.#pcr27m);
  }
}

const isHeld = ({ kind }: OutputTrack): boolean => kind === 'video' || kind === 'audio';
