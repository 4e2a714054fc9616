import type { Codec, TrackKind } from './codec.ts';
import { KeyframeScan } from './keyframe-scan.ts';
import { NULL_PID, PACKET_BYTES, PAT_PID, PacketView } from './packet.ts';
import { PacketWalk } from './packet-walk.ts';
import type { PacketRun } from './packet-walk.ts';
import { PidTable } from './pid-table.ts';
import { PesHeader } from './pes-header.ts';
import { mainTrackOf } from './program.ts';
import type { Program } from './program.ts';
import { ProgramWatch } from './program-watch.ts';
import type { ProgramTables } from './program-watch.ts';
import { ahead27m, readPcr27m } from './timestamps.ts';

/** Tables, tracks and clock of one program, with room to spare. */
const MAX_WATCHED = 128;

/** One track of the chosen program as it was last seen. */
export type TrackFacts = {
  readonly pid: number;
  readonly kind: TrackKind;
  readonly codec: Codec;
  readonly packets: number;
  readonly scrambledPackets: number;
  /** In the time that is given to `push`; undefined when the track has not come yet. */
  readonly lastSeenMs: number | undefined;
};

/** What is known of a source; counts never fall. */
export type TsFacts = {
  readonly packets: number;
  readonly bytes: number;
  readonly nullPackets: number;
  /** Packets of the chosen program that are missing or out of order. */
  readonly counterErrors: number;
  /** Packets that the sender itself marked as damaged. */
  readonly transportErrors: number;
  readonly scrambledPackets: number;
  readonly discontinuities: number;
  /** Places where a decoder can begin. */
  readonly keyframes: number;
  /** The program clock, 27 MHz; undefined before the first. */
  readonly pcr27m: number | undefined;
  /** When the program clock last went forward, in the time given to `push`. */
  readonly pcrAdvancedMs: number | undefined;
  /** How often the program clock went back, and how far the last time, 27 MHz. */
  readonly pcrStepsBack: number;
  readonly lastStepBack27m: number;
  readonly program: Program | undefined;
  readonly tracks: readonly TrackFacts[];
};

class PidWatch {
  readonly pid: number;
  isTable = false;
  isMain = false;
  kind: TrackKind = 'other';
  codec: Codec = 'unknown';
  counter = -1;
  isRepeated = false;
  packets = 0;
  scrambledPackets = 0;
  lastSeenMs = -1;

  constructor(pid: number) {
    this.pid = pid;
  }
}

/**
 * Reads one source's packets as they pass and keeps what there is to know of it. Looks at the
 * chosen program only; a packet costs no memory, and what is kept is bounded whatever comes.
 */
export class TsAnalyser {
  readonly #view = new PacketView();
  readonly #walk = new PacketWalk();
  readonly #pes = new PesHeader();
  readonly #tables = new ProgramWatch(() => this.#follow());
  #watched = new PidTable<PidWatch>(MAX_WATCHED);
  #mainPid = NULL_PID;
  #isAudioOnly = false;
  #pcrPid = NULL_PID;
  #scan: KeyframeScan | undefined;
  #packets = 0;
  #nullPackets = 0;
  #counterErrors = 0;
  #transportErrors = 0;
  #scrambledPackets = 0;
  #discontinuities = 0;
  #keyframes = 0;
  #pcr27m = -1;
  #pcrAdvancedMs = -1;
  #pcrStepsBack = 0;
  #lastStepBack27m = 0;
  #unitStart = -1;
  #keyframeStarts: number[] = [];

  constructor() {
    this.#keep(PAT_PID, undefined).isTable = true;
  }

  /**
   * Reads whole packets; the memory is not kept.
   *
   * @param nowMs - The time, on any clock, for the facts that say when something was last seen.
   */
  push(parts: readonly Buffer[], nowMs = 0): void {
    this.#keyframeStarts.length = 0;
    const pushedAt = this.#packets;
    for (const part of parts) {
      for (this.#walk.begin(part); !this.#walk.isOver;) {
        if (this.seeRun(this.#walk, nowMs)) {
          this.#walk.advance(this.#walk.packets);
          continue;
        }
        this.#view.read(part, this.#walk.at);
        if (this.see(this.#view, nowMs)) this.#keyframeStarts.push(this.#unitStart - pushedAt);
        this.#walk.advance(1);
      }
    }
  }

  /**
   * Where a joiner may begin: the packet, counted from the first of the last `push`, that starts
   * the PES packet of a keyframe. Negative when it lies in an earlier push and was recognised only
   * in this one.
   */
  get keyframeStarts(): readonly number[] {
    return this.#keyframeStarts;
  }

  /** The track whose keyframes count: the first video, else the first audio. */
  get mainPid(): number {
    return this.#mainPid;
  }

  /** The tables of the chosen program as received; the same object until they change. */
  get tables(): ProgramTables | undefined {
    return this.#tables.chosen;
  }

  /** The PAT, or a PMT that it names. */
  isTable(pid: number): boolean {
    return this.#watched.get(pid)?.isTable ?? false;
  }

  /** Reads one packet. @returns whether the current unit of the main track proved a keyframe. */
  see(view: PacketView, nowMs: number): boolean {
    this.#packets += 1;
    if (view.hasError) this.#transportErrors += 1;
    if (view.pid === NULL_PID) {
      this.#nullPackets += 1;
      return false;
    }
    const watch = this.#watched.get(view.pid);
    if (watch === undefined) return false;
    watch.packets += 1;
    watch.lastSeenMs = nowMs;
    if (view.flags !== 0) this.#seeFlags(view, nowMs);
    this.#checkCounter(watch, view);
    if (view.isScrambled) {
      this.#scrambledPackets += 1;
      watch.scrambledPackets += 1;
    }
    if (watch.isMain) return this.#scanPacket(view);
    if (watch.isTable) this.#tables.push(view);
    return false;
  }

  /**
   * Reads plain packets at once, as `see` would one by one.
   * @returns false, having read none, when there are none or when each of them matters.
   */
  seeRun(run: PacketRun, nowMs: number): boolean {
    const { pid, packets } = run;
    if (packets === 0) return false;
    const watch = pid === NULL_PID ? undefined : this.#watched.get(pid);
    if (watch !== undefined && !this.#isRoutine(watch, run)) return false;
    this.#packets += packets;
    if (pid === NULL_PID) this.#nullPackets += packets;
    if (watch === undefined) return true;
    watch.packets += packets;
    watch.lastSeenMs = nowMs;
    watch.counter = run.lastCounter;
    watch.isRepeated = false;
    return true;
  }

  /** The run goes on from what came before, and nothing is to be found in it. */
  #isRoutine(watch: PidWatch, { firstCounter }: PacketRun): boolean {
    if (watch.isTable || (watch.isMain && this.#scan?.verdict === 'undecided')) return false;
    return watch.counter < 0 || firstCounter === ((watch.counter + 1) & 0x0f);
  }

  /** A copy of all that is known, for whoever polls. */
  get facts(): TsFacts {
    return {
      packets: this.#packets,
      bytes: this.#packets * PACKET_BYTES,
      nullPackets: this.#nullPackets,
      counterErrors: this.#counterErrors,
      transportErrors: this.#transportErrors,
      scrambledPackets: this.#scrambledPackets,
      discontinuities: this.#discontinuities,
      keyframes: this.#keyframes,
      pcr27m: this.#pcr27m < 0 ? undefined : this.#pcr27m,
      pcrAdvancedMs: this.#pcrAdvancedMs < 0 ? undefined : this.#pcrAdvancedMs,
      pcrStepsBack: this.#pcrStepsBack,
      lastStepBack27m: this.#lastStepBack27m,
      program: this.#tables.chosen?.program,
      tracks: this.#watched.values.filter(({ isTable }) => !isTable).map(trackFacts),
    };
  }

  /** §2.4.3.3: counts packets with payload; one may be sent twice. */
  #checkCounter(watch: PidWatch, view: PacketView): void {
    const last = watch.counter;
    watch.counter = view.counter;
    if (last < 0 || !view.hasPayload || view.hasDiscontinuity) {
      watch.isRepeated = false;
      return;
    }
    if (view.counter === ((last + 1) & 0x0f)) {
      watch.isRepeated = false;
      return;
    }
    if (view.counter !== last || watch.isRepeated) this.#counterErrors += 1;
    watch.isRepeated = view.counter === last;
  }

  #seeFlags(view: PacketView, nowMs: number): void {
    if (view.hasDiscontinuity) this.#discontinuities += 1;
    if (view.pid !== this.#pcrPid || view.pcrAt < 0) return;
    const pcr = readPcr27m(view.bytes, view.pcrAt);
    const ahead = this.#pcr27m < 0 ? 1 : ahead27m(pcr, this.#pcr27m);
    if (ahead > 0) this.#pcrAdvancedMs = nowMs;
    else if (ahead < 0) {
      this.#pcrStepsBack += 1;
      this.#lastStepBack27m = -ahead;
    }
    this.#pcr27m = pcr;
  }

  #scanPacket(view: PacketView): boolean {
    const scan = this.#scan;
    if (scan === undefined || !view.hasPayload) return false;
    if (!view.startsUnit) {
      if (scan.verdict !== 'undecided') return false;
      return this.#judged(scan.feed(view.bytes, view.payloadAt, view.end) === 'key');
    }
    this.#unitStart = this.#packets - 1;
    this.#pes.read(view);
    const isReadable = !view.isScrambled && this.#pes.dataAt >= 0;
    scan.begin(view.hasRandomAccess || this.#isAudioOnly, isReadable);
    if (isReadable) scan.feed(view.bytes, this.#pes.dataAt, view.end);
    return this.#judged(scan.verdict === 'key');
  }

  #judged(isKeyframe: boolean): boolean {
    if (isKeyframe) this.#keyframes += 1;
    return isKeyframe;
  }

  #follow(): void {
    const program = this.#tables.chosen?.program;
    const before = this.#watched;
    this.#watched = new PidTable(MAX_WATCHED);
    const keep = (pid: number): PidWatch => this.#keep(pid, before.get(pid));
    for (const pid of [PAT_PID, ...this.#tables.pmtPids]) keep(pid).isTable = true;
    if (program === undefined) return;
    this.#followMain(program);
    for (const { pid, kind, codec } of program.tracks) {
      Object.assign(keep(pid), { kind, codec, isMain: pid === this.#mainPid, isTable: false });
    }
    keep(program.pcrPid);
  }

  #followMain(program: Program): void {
    const main = mainTrackOf(program);
    this.#pcrPid = program.pcrPid;
    this.#mainPid = main?.pid ?? NULL_PID;
    this.#isAudioOnly = main?.kind === 'audio';
    this.#scan = main === undefined ? undefined : new KeyframeScan(main.codec);
  }

  #keep(pid: number, known: PidWatch | undefined): PidWatch {
    const present = this.#watched.get(pid) ?? known ?? new PidWatch(pid);
    this.#watched.set(pid, present);
    return present;
  }
}

const trackFacts = (watch: PidWatch): TrackFacts => ({
  pid: watch.pid,
  kind: watch.kind,
  codec: watch.codec,
  packets: watch.packets,
  scrambledPackets: watch.scrambledPackets,
  lastSeenMs: watch.lastSeenMs < 0 ? undefined : watch.lastSeenMs,
});
