import { hasAudioFrames } from './audio-frames.ts';
import { AudioMeter } from './audio-meter.ts';
import type { Codec, TrackKind } from './codec.ts';
import { PACKET_BYTES, PAYLOAD_BYTES } from './packet.ts';
import type { PacketView } from './packet.ts';
import type { PacketRun } from './packet-walk.ts';
import type { PesHeader } from './pes-header.ts';
import { TICKS_PER_SECOND, ahead90k, wrap90k } from './timestamps.ts';

const DEFAULT_FRAME_90K = 3600;
const NEVER = -1;

/** What viewers have been sent of one PID: where its counter and its time stand. */
export class OutputTrack {
  readonly pid: number;
  readonly kind: TrackKind;
  readonly codec: Codec;
  /** Counter of the last packet; −1 before the first. */
  counter = -1;
  /** A PES packet has begun and not ended. */
  isOpen = false;
  /** Position in the output of the packet that starts the latest PES packet. */
  unitStart = -1;
  /** What the caller counts, as it was when the latest PES packet began. */
  openedAt = 0;
  /** The latest PES packet says how long it is. */
  isSized = false;
  #counterBefore = -1;
  #total = 0;
  #got = 0;
  #unitPts90k = NEVER;
  #unitDts90k = NEVER;
  #lastDts90k = NEVER;
  #maxPts90k = NEVER;
  readonly #steps90k: [number, number, number, number] = [0, 0, 0, 0];
  #stepCount = 0;
  /** Stuffing ends a PES packet, until this track proves otherwise. */
  #trustsStuffing = true;
  #wasStuffed = false;
  readonly #meter: AudioMeter | undefined;
  /** How long the last PES packet sounds; undefined where its frames cannot be counted. */
  #lastDuration90k: number | undefined;

  constructor({ pid, kind, codec }: { pid: number; kind: TrackKind; codec: Codec }) {
    this.pid = pid;
    this.kind = kind;
    this.codec = codec;
    this.#meter = hasAudioFrames(codec) ? new AudioMeter(codec) : undefined;
  }

  /** Decoding time of the latest PES packet, finished or not; −1: none had one. */
  get dts90k(): number {
    return this.#unitDts90k === NEVER ? this.#lastDts90k : this.#unitDts90k;
  }

  /** When the next picture or audio frame is due to be decoded; −1: unknown. */
  get nextDts90k(): number {
    return this.#lastDts90k === NEVER ? NEVER : wrap90k(this.#lastDts90k + this.#step90k);
  }

  /** When what was sent completely has been presented; −1: unknown. */
  get endPts90k(): number {
    return this.#maxPts90k === NEVER ? NEVER : wrap90k(this.#maxPts90k + this.#step90k);
  }

  /** Of audio whose frames can be read; undefined before the first. */
  get samplesPerSecond(): number | undefined {
    return this.#meter?.samplesPerSecond;
  }

  /** A packet has gone out. @param pes - Its PES header if it starts a unit that can be read. */
  see(view: PacketView, pes: PesHeader, position: number): void {
    if (!view.hasPayload) return;
    if (view.startsUnit) this.#begin(view, pes, position);
    else if (this.isOpen) this.#continue(view);
    else if (this.#wasStuffed) this.#trustsStuffing = false;
    this.counter = view.counter;
    if (this.isOpen) this.#closeIfWhole(view);
  }

  /** Plain packets have gone out. */
  seeRun(run: PacketRun): void {
    if (this.isOpen) this.#continueRun(run);
    else if (this.#wasStuffed) this.#trustsStuffing = false;
    this.counter = run.lastCounter;
  }

  /** The unfinished PES packet will not be sent after all. */
  withdraw(): void {
    this.isOpen = false;
    this.counter = this.#counterBefore;
    this.#unitDts90k = NEVER;
    this.#unitPts90k = NEVER;
  }

  /** The unfinished PES packet is no longer waited for. */
  abandon(): void {
    this.isOpen = false;
  }

  #begin(view: PacketView, pes: PesHeader, position: number): void {
    if (this.isOpen) this.#close();
    this.isOpen = true;
    this.unitStart = position;
    this.isSized = pes.totalBytes > 0;
    this.#counterBefore = this.counter;
    this.#total = pes.totalBytes;
    this.#got = view.payloadBytes;
    this.#wasStuffed = false;
    this.#unitPts90k = pes.pts90k;
    this.#unitDts90k = pes.dts90k;
    if (this.#meter === undefined || pes.dataAt < 0) return;
    this.#meter.begin();
    this.#meter.feed(view.bytes, pes.dataAt, view.end);
  }

  #continue(view: PacketView): void {
    this.#got += view.payloadBytes;
    this.#meter?.feed(view.bytes, view.payloadAt, view.end);
  }

  #continueRun({ bytes, at, packets }: PacketRun): void {
    // What is measured is measured up to the packet that ends it.
    const step = this.#meter === undefined ? packets : 1;
    for (let from = 0; from < packets && this.isOpen; from += step) {
      const packetAt = at + from * PACKET_BYTES;
      this.#got += step * PAYLOAD_BYTES;
      this.#meter?.feed(bytes, packetAt + PACKET_BYTES - PAYLOAD_BYTES, packetAt + PACKET_BYTES);
      if (this.#total > 0 && this.#got >= this.#total) this.#close();
    }
  }

  #closeIfWhole(view: PacketView): void {
    if (this.#total > 0) {
      if (this.#got >= this.#total) this.#close();
      return;
    }
    if (!this.#trustsStuffing || !view.isStuffed) return;
    this.#wasStuffed = true;
    this.#close();
  }

  #close(): void {
    this.isOpen = false;
    if (this.#unitDts90k === NEVER) return;
    if (this.#lastDts90k !== NEVER) this.#learnStep(ahead90k(this.#unitDts90k, this.#lastDts90k));
    this.#lastDts90k = this.#unitDts90k;
    const isLater = this.#maxPts90k === NEVER || ahead90k(this.#unitPts90k, this.#maxPts90k) > 0;
    if (isLater || this.kind === 'audio') this.#maxPts90k = this.#unitPts90k;
    this.#lastDuration90k = this.#meter?.duration90k;
  }

  #learnStep(step90k: number): void {
    if (step90k <= 0 || step90k > TICKS_PER_SECOND) return;
    this.#steps90k[this.#stepCount % 4] = step90k;
    this.#stepCount += 1;
  }

  /**
   * How long the last PES packet lasts, as far as one can know: for pictures the shortest of the last steps, as a missing one
   * makes a step longer; for audio the longest, as packets hold more frames or fewer.
   */
  get #step90k(): number {
    if (this.#lastDuration90k !== undefined) return this.#lastDuration90k;
    const known = this.#steps90k.slice(0, this.#stepCount);
    if (known.length === 0) return DEFAULT_FRAME_90K;
    return this.kind === 'audio' ? Math.max(...known) : Math.min(...known);
  }
}
