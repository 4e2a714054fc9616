import { AudioCut, packetizeAudio } from './audio-cut.ts';
import type { AudioHistory } from './audio-history.ts';
import type { TrackKind } from './codec.ts';
import type { LayoutPlan } from './layout-plan.ts';
import { putClock, putDiscontinuity } from './made-packets.ts';
import type { OutputLedger } from './output-ledger.ts';
import type { OutputTrack } from './output-track.ts';
import { PACKET_BYTES, PAT_PID, PacketView } from './packet.ts';
import type { PacketRun } from './packet-walk.ts';
import type { PacketWriter } from './packet-writer.ts';
import { PesHeader } from './pes-header.ts';
import type { ProgramTables } from './program-watch.ts';
import { packetize } from './tables.ts';
import { firstAudio90k } from './timeline.ts';
import type { ClockMap } from './timeline.ts';
import { ahead90k, readPcr27m, wrap90k, writePcr27m, writeTime90k } from './timestamps.ts';

export type RewriterOptions = {
  readonly plan: LayoutPlan;
  readonly source: ProgramTables;
  readonly ledger: OutputLedger;
  /** Added to every presentation and decoding time. */
  readonly offset90k: number;
  /** Presentation time in the output of the picture that everything begins with; −1: unknown. */
  readonly startPts90k: number;
  /** Undefined: the source's clock is sent as it is. */
  readonly clock: ClockMap | undefined;
  /** Says on every PID that it does not go on as it was. */
  readonly marksDiscontinuity: boolean;
};

/** How one PID of the source goes on. */
type Route = {
  readonly pid: number;
  readonly kind: TrackKind;
  readonly isMain: boolean;
  readonly track: OutputTrack;
  /** Where the audio ends that was sent of the track; −1: unknown. Kept up to its beginning. */
  end90k: number;
  hasBegun: boolean;
  /** The unit that is passing is let through. */
  isOpen: boolean;
  /** The beginning of its audio, which cannot be sent as it is. */
  cut: AudioCut | undefined;
  /** Added to the source's counters; −1: found out with the next packet. */
  shift: number;
};

/** Writes one source's packets as the continuation of what viewers have been sent. */
export class Rewriter {
  readonly #options: RewriterOptions;
  readonly #pes = new PesHeader();
  readonly #view = new PacketView();
  readonly #routes = new Map<number, Route>();
  readonly #pat: Buffer;
  readonly #pmt: Buffer;
  readonly #pcrPid: number;
  readonly #sourcePcrPid: number;
  /** Audio that is due before this is too late. */
  readonly #due90k: number;
  /** Pictures that refer to pictures before the first one may still come. */
  #mayLead = true;

  constructor(options: RewriterOptions) {
    this.#options = options;
    const { layout } = options.plan;
    this.#pat = packetize(layout.pat, PAT_PID);
    this.#pmt = packetize(layout.pmt, layout.program.pmtPid);
    this.#pcrPid = layout.program.pcrPid;
    this.#sourcePcrPid = options.source.program.pcrPid;
    this.#due90k = firstAudio90k(options.startPts90k, options.ledger.pcr27m);
    this.#makeRoutes();
  }

  /** The tables, as they are sent. */
  writeTables(writer: PacketWriter): void {
    this.#writeTable(writer, this.#pat, PAT_PID);
    this.#writeTable(writer, this.#pmt, this.#options.plan.layout.program.pmtPid);
  }

  /** What the source has sent of its audio before the first packet that is written. */
  writeAudio(audio: AudioHistory, writer: PacketWriter): void {
    for (const [pid, route] of this.#routes) {
      if (route.kind !== 'audio' || route.isMain) continue;
      for (const unit of audio.unitsOf(pid)) {
        this.#writeCut(route, writer);
        route.cut = unit;
      }
    }
  }

  /** One packet of the source: becomes none, one or a few. */
  write(view: PacketView, writer: PacketWriter): void {
    const { program } = this.#options.source;
    const route = this.#routes.get(view.pid);
    if (route !== undefined) this.#writeTrack(route, view, writer);
    else if (view.pid === this.#sourcePcrPid) this.#writeClock(view, writer);
    else if (!view.startsUnit) return;
    else if (view.pid === PAT_PID) this.#writeTable(writer, this.#pat, PAT_PID);
    else if (view.pid === program.pmtPid) {
      this.#writeTable(writer, this.#pmt, this.#options.plan.layout.program.pmtPid);
    }
  }

  /** Plain packets of the source, as `write` would write them one by one. */
  writeRun(run: PacketRun, writer: PacketWriter): void {
    const route = this.#routes.get(run.pid);
    if (route === undefined) return;
    if (route.cut !== undefined) return this.#writeEach(run, writer);
    if (!route.isOpen) return;
    this.#options.ledger.seeRun(writer.appendRun(run, route.pid, route.shift));
  }

  /** The packet's time does not follow that of its track: the source is no longer one stream. */
  leaps(view: PacketView): boolean {
    const route = this.#routes.get(view.pid);
    if (route === undefined || !route.hasBegun || this.#options.clock === undefined) return false;
    return this.#options.ledger.leaps(view, this.#options.offset90k, route.track);
  }

  #makeRoutes(): void {
    const { plan, source, ledger } = this.#options;
    for (const { pid, kind } of source.program.tracks) {
      const outputPid = plan.pids.get(pid);
      const track = outputPid === undefined ? undefined : ledger.track(outputPid);
      if (outputPid === undefined || track === undefined) continue;
      this.#routes.set(pid, {
        pid: outputPid,
        kind,
        isMain: track === ledger.main,
        track,
        end90k: kind === 'audio' ? track.endPts90k : -1,
        hasBegun: false,
        isOpen: false,
        cut: undefined,
        shift: -1,
      });
    }
  }

  #writeTrack(route: Route, view: PacketView, writer: PacketWriter): void {
    if (view.startsUnit) this.#beginUnit(route, view, writer);
    else route.cut?.add(view);
    if (route.cut?.isWhole) this.#writeCut(route, writer);
    if (!route.isOpen) return this.#writeClock(view, writer);
    this.#beginTrack(route, writer);
    this.#copy(route, view, writer);
    if (view.pcrAt >= 0 && route.pid !== this.#pcrPid) this.#writeClock(view, writer);
  }

  #beginUnit(route: Route, view: PacketView, writer: PacketWriter): void {
    this.#writeCut(route, writer);
    this.#pes.read(view);
    if (view.isScrambled) this.#pes.forget();
    route.isOpen = this.#admits(route, this.#pes);
    if (route.isOpen) return;
    route.shift = -1;
    if (route.kind === 'audio') route.cut = AudioCut.begin(route.track.codec, view, this.#pes);
  }

  /** The first audio packet reaches back behind the switch: its later frames are sent. */
  #writeCut(route: Route, writer: PacketWriter): void {
    const { cut } = route;
    if (cut === undefined) return;
    const { offset90k, ledger } = this.#options;
    route.cut = undefined;
    const piece = cut.piece(wrap90k(this.#earliest(route) - offset90k));
    if (piece === undefined) return;
    this.#beginTrack(route, writer);
    const moved = { ...piece, pts90k: wrap90k(piece.pts90k + offset90k) };
    const packets = packetizeAudio(moved, route.pid, route.track.counter + 1);
    for (let from = 0; from < packets.length; from += PACKET_BYTES) {
      const at = writer.append(packets, from);
      ledger.seeAt(writer.bytes, at);
    }
    route.end90k = route.track.endPts90k;
  }

  /** Nothing of a track goes out that is due before this, until it has begun. */
  #earliest({ kind, end90k }: Route): number {
    const { startPts90k } = this.#options;
    const first90k = kind === 'audio' ? this.#due90k : startPts90k;
    return end90k >= 0 && ahead90k(end90k, first90k) > 0 ? end90k : first90k;
  }

  #admits(route: Route, { pts90k }: PesHeader): boolean {
    const { offset90k, startPts90k } = this.#options;
    if (route.isMain && route.kind === 'video') return this.#admitsPicture(route, pts90k);
    if (route.hasBegun || startPts90k < 0) return true;
    if (pts90k < 0) return false;
    return ahead90k(wrap90k(pts90k + offset90k), this.#earliest(route)) >= 0;
  }

  /** Pictures shown before the first one refer to pictures that nobody has been sent. */
  #admitsPicture(route: Route, pts90k: number): boolean {
    const { offset90k, startPts90k } = this.#options;
    if (!route.hasBegun || !this.#mayLead || pts90k < 0 || startPts90k < 0) return true;
    const isLeading = ahead90k(wrap90k(pts90k + offset90k), startPts90k) < 0;
    if (!isLeading) this.#mayLead = false;
    return !isLeading;
  }

  #beginTrack(route: Route, writer: PacketWriter): void {
    if (route.hasBegun) return;
    route.hasBegun = true;
    if (!this.#options.marksDiscontinuity) return;
    const at = writer.claim();
    putDiscontinuity({ bytes: writer.bytes, at }, counterOf(route.pid, route.track));
    this.#options.ledger.seeAt(writer.bytes, at);
  }

  #copy(route: Route, view: PacketView, writer: PacketWriter): void {
    const at = writer.append(view.bytes, view.at);
    const { bytes } = writer;
    const moved = at - view.at;
    bytes[at + 1] = ((bytes[at + 1] ?? 0) & 0xe0) | (route.pid >> 8);
    bytes[at + 2] = route.pid & 0xff;
    bytes[at + 3] = ((bytes[at + 3] ?? 0) & 0xf0) | this.#counter(route, view);
    if (view.startsUnit) this.#moveTimes(bytes, moved);
    if (view.pcrAt >= 0) this.#moveClock(view, bytes, moved);
    this.#options.ledger.seeAt(bytes, at);
  }

  #writeEach({ bytes, at, packets }: PacketRun, writer: PacketWriter): void {
    const end = at + packets * PACKET_BYTES;
    for (let from = at; from < end; from += PACKET_BYTES) {
      this.#view.read(bytes, from);
      this.write(this.#view, writer);
    }
  }

  /** Repetitions and gaps of the source stay what they are. */
  #counter(route: Route, view: PacketView): number {
    const last = route.track.counter;
    if (!view.hasPayload) return last & 0x0f;
    if (route.shift < 0) route.shift = (last + 1 - view.counter) & 0x0f;
    return (view.counter + route.shift) & 0x0f;
  }

  #moveTimes(bytes: Buffer, moved: number): void {
    const { offset90k } = this.#options;
    const { ptsAt, dtsAt, pts90k, dts90k } = this.#pes;
    if (ptsAt >= 0) writeTime90k(bytes, ptsAt + moved, wrap90k(pts90k + offset90k));
    if (dtsAt >= 0) writeTime90k(bytes, dtsAt + moved, wrap90k(dts90k + offset90k));
  }

  #moveClock(view: PacketView, bytes: Buffer, moved: number): void {
    const pcr27m = this.#clockOf(view);
    writePcr27m(bytes, view.pcrAt + moved, pcr27m);
  }

  #clockOf(view: PacketView): number {
    const { clock, ledger, offset90k } = this.#options;
    const pcr27m = readPcr27m(view.bytes, view.pcrAt);
    if (clock === undefined) return pcr27m;
    const isMainStart = view.startsUnit && this.#pes.dts90k >= 0;
    const ownDts90k = isMainStart ? wrap90k(this.#pes.dts90k + offset90k) : -1;
    const mainDts90k = ledger.main?.dts90k ?? -1;
    const dts90k = ownDts90k < 0 ? mainDts90k : ownDts90k;
    if (!clock.hasBegun && dts90k >= 0) clock.begin(pcr27m, dts90k, ledger.margin27m);
    return clock.map(pcr27m, dts90k);
  }

  /** The clock of a packet that does not go on as it is, in a packet of its own. */
  #writeClock(view: PacketView, writer: PacketWriter): void {
    if (view.pid !== this.#sourcePcrPid || view.pcrAt < 0) return;
    const pcr27m = this.#clockOf(view);
    const at = writer.claim();
    const track = this.#options.ledger.track(this.#pcrPid);
    putClock({ bytes: writer.bytes, at }, counterOf(this.#pcrPid, track), pcr27m);
    this.#options.ledger.seeAt(writer.bytes, at);
  }

  #writeTable(writer: PacketWriter, packets: Buffer, pid: number): void {
    const { ledger } = this.#options;
    for (let from = 0; from < packets.length; from += PACKET_BYTES) {
      const at = writer.append(packets, from);
      const counter = ((ledger.track(pid)?.counter ?? -1) + 1) & 0x0f;
      writer.bytes[at + 3] = 0x10 | counter;
      ledger.seeAt(writer.bytes, at);
    }
  }
}

const counterOf = (pid: number, track: OutputTrack | undefined) => ({
  pid,
  counter: (track?.counter ?? 0) & 0x0f,
});
