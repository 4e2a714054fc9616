import { AudioHistory } from './audio-history.ts';
import { PACKET_BYTES, PacketView } from './packet.ts';
import { PacketWriter } from './packet-writer.ts';
import { PesHeader } from './pes-header.ts';
import type { TimelineStart } from './timeline.ts';
import { TICKS_PER_SECOND, ahead90k } from './timestamps.ts';
import type { TsAnalyser } from './ts-analyser.ts';

/** More than this between the start of a picture and the proof that it is a keyframe is nonsense. */
const MAX_PACKETS = 8192;
/** No keyframe in so many packets (28 MB): the source is taken as it comes. */
const MAX_SOUGHT_PACKETS = 150_000;
/** No keyframe for so long in the source's own time: the next picture will do. */
const MAX_SOUGHT_90K = 10 * TICKS_PER_SECOND;

/** `start`: it can go on from the candidate's first packet. `hopeless`: it will never be found. */
export type Search = 'seeking' | 'start' | 'hopeless';

/**
 * Looks for the packet of a new source with which the output can go on: the start of a keyframe,
 * once the tables are known. Keeps what has come since the last picture began.
 */
export class Candidate {
  readonly #source: TsAnalyser;
  readonly #pes = new PesHeader();
  readonly #past = new PacketView();
  readonly #audio = new AudioHistory();
  readonly #writer = new PacketWriter(64);
  #start: TimelineStart | undefined;
  #firstDts90k = -1;
  #sought = 0;
  #isScrambled = false;

  constructor(source: TsAnalyser) {
    this.#source = source;
  }

  /** When the candidate's first picture is due; undefined when it cannot be read. */
  get start(): TimelineStart | undefined {
    return this.#start;
  }

  get isScrambled(): boolean {
    return this.#isScrambled;
  }

  /** The audio that came before the picture. */
  get audio(): AudioHistory {
    return this.#audio;
  }

  /** What has come, from the start of the picture on. */
  get packets(): Buffer {
    return this.#writer.written;
  }

  /** @param isKeyframe - The analyser has just proved that the latest picture is one. */
  see(view: PacketView, isKeyframe: boolean): Search {
    this.#sought += 1;
    if (this.#sought > MAX_SOUGHT_PACKETS) return 'hopeless';
    const isStart = view.startsUnit && view.pid === this.#source.mainPid;
    if (isStart) this.#begin(view);
    else if (this.#writer.packets === 0) this.#remember(view);
    if (!isStart && this.#writer.packets === 0) return 'seeking';
    if (this.#writer.packets >= MAX_PACKETS) this.#discard();
    this.#writer.append(view.bytes, view.at);
    return this.#isReady(isStart, isKeyframe) ? 'start' : 'seeking';
  }

  #isReady(isStart: boolean, isKeyframe: boolean): boolean {
    if (isStart && this.#isScrambled) return true;
    const willDo = isKeyframe || (isStart && this.#isOverdue());
    return willDo && this.#start !== undefined;
  }

  #begin(view: PacketView): void {
    this.#discard();
    this.#isScrambled = view.isScrambled;
    this.#pes.read(view);
    const { pts90k, dts90k } = this.#pes;
    this.#start = pts90k < 0 || view.isScrambled ? undefined : { pts90k, dts90k };
    if (this.#firstDts90k < 0) this.#firstDts90k = dts90k;
  }

  /** The latest picture was none to begin with; its audio may yet be of use. */
  #discard(): void {
    const { written } = this.#writer;
    for (let at = 0; at < written.length; at += PACKET_BYTES) {
      this.#past.read(written, at);
      this.#remember(this.#past);
    }
    this.#writer.clear();
  }

  #remember(view: PacketView): void {
    const program = this.#source.tables?.program;
    if (program !== undefined) this.#audio.see(view, program);
  }

  #isOverdue(): boolean {
    const { dts90k } = this.#start ?? {};
    return dts90k !== undefined && ahead90k(dts90k, this.#firstDts90k) > MAX_SOUGHT_90K;
  }
}
