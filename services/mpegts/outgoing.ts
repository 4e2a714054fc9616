import { AudioCut, packetizeAudio } from './audio-cut.ts';
import { HoldQueue } from './hold-queue.ts';
import { hevcEnd } from './made-packets.ts';
import type { OutputLedger } from './output-ledger.ts';
import type { OutputTrack } from './output-track.ts';
import { PACKET_BYTES, PacketView } from './packet.ts';
import { PacketWriter } from './packet-writer.ts';
import { PesHeader } from './pes-header.ts';

/** A picture of 4 MiB is more than any real one: what is larger is no longer held back. */
const MAX_HELD_PACKETS = Math.floor((4 * 1024 * 1024) / PACKET_BYTES);

/** Where a joiner can begin: at a keyframe. */
export type JoinPoint = {
  /** In bytes over all parts that went out together. */
  readonly at: number;
  /** PAT and PMT, whole packets, with counters that what follows goes on from; may be empty. */
  readonly tables: Buffer;
};

/** The way out: holds packets back until their picture is whole, and knows where joiners begin. */
export class Outgoing {
  readonly #ledger: OutputLedger;
  readonly #hold = new HoldQueue();
  readonly #view = new PacketView();
  readonly #pes = new PesHeader();
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Keyframes that are held. */
  #heldJoins: { readonly position: number; readonly tables: Buffer }[] = [];
  #joins: JoinPoint[] = [];

  constructor(ledger: OutputLedger) {
    this.#ledger = ledger;
  }

  /** What has gone out since `begin`. */
  get parts(): readonly Buffer[] {
    return this.#parts;
  }

  /** The keyframes in `parts`. */
  get joins(): readonly JoinPoint[] {
    return this.#joins;
  }

  get heldPackets(): number {
    return this.#hold.packets;
  }

  begin(): void {
    this.#parts = [];
    this.#bytes = 0;
    this.#joins = [];
  }

  /** The main track's latest unit is a keyframe. @param tables - For who begins with it. */
  noteJoin(tables: Buffer): void {
    const { main } = this.#ledger;
    if (main === undefined || main.unitStart < 0) return;
    this.#heldJoins.push({ position: main.unitStart, tables });
  }

  /** Lets through what the ledger has seen, as far as it is whole. */
  release(part: Buffer, isLent: boolean): void {
    const { position } = this.#ledger;
    let keep = position - this.#ledger.heldFrom;
    if (keep > MAX_HELD_PACKETS) {
      this.#ledger.abandonOpen();
      keep = 0;
    }
    const from = position - this.#hold.packets - part.length / PACKET_BYTES;
    if (this.#heldJoins.length > 0) this.#placeJoins(from, position - keep);
    this.#send(this.#hold.advance(part, keep, isLent));
  }

  /** Lets through what is held, and what is not MPEG-TS. */
  pass(part: Buffer): void {
    this.#send(this.#hold.drain());
    this.#send([part]);
  }

  /** What is held and whole goes out, pictures or audio frames, the rest never; for HEVC the end of its sequence follows. */
  finish(): void {
    const from = this.#ledger.position - this.#hold.packets;
    const writer = new PacketWriter(this.#hold.packets);
    const cuts = new Map<OutputTrack, AudioCut>();
    let position = from;
    for (const part of this.#hold.drain()) {
      for (let at = 0; at < part.length; at += PACKET_BYTES, position += 1) {
        this.#view.read(part, at);
        const unfinished = this.#ledger.unfinishedAt(this.#view.pid, position);
        if (unfinished === undefined) writer.append(part, at);
        else this.#collect(unfinished, cuts);
      }
    }
    this.#heldJoins = [];
    this.#ledger.withdrawOpen(position - from - writer.packets);
    this.#send([writer.written]);
    for (const [track, cut] of cuts) this.#sendFrames(track, cut);
    this.#endSequence();
  }

  #collect(track: OutputTrack, cuts: Map<OutputTrack, AudioCut>): void {
    if (track.kind !== 'audio') return;
    const known = cuts.get(track);
    if (known !== undefined) return known.add(this.#view);
    if (!this.#view.startsUnit) return;
    this.#pes.read(this.#view);
    const cut = AudioCut.begin(track.codec, this.#view, this.#pes);
    if (cut !== undefined) cuts.set(track, cut);
  }

  /** Of an unfinished PES packet of audio, the frames that have come whole. */
  #sendFrames(track: OutputTrack, cut: AudioCut): void {
    const piece = cut.piece();
    if (piece === undefined) return;
    const packets = packetizeAudio(piece, track.pid, track.counter + 1);
    for (let at = 0; at < packets.length; at += PACKET_BYTES) this.#ledger.seeAt(packets, at);
    this.#send([packets]);
  }

  #endSequence(): void {
    const { main } = this.#ledger;
    if (main?.codec !== 'hevc' || main.counter < 0) return;
    this.#send([hevcEnd({ pid: main.pid, counter: main.counter + 1 }, main.isSized)]);
    this.#ledger.seeUnread(main);
  }

  #placeJoins(from: number, until: number): void {
    for (const { position, tables } of this.#heldJoins) {
      if (position < from || position >= until) continue;
      this.#joins.push({ at: this.#bytes + (position - from) * PACKET_BYTES, tables });
    }
    this.#heldJoins = this.#heldJoins.filter(({ position }) => position >= until);
  }

  #send(parts: readonly Buffer[]): void {
    for (const part of parts) {
      if (part.length === 0) continue;
      this.#parts.push(part);
      this.#bytes += part.length;
    }
  }
}
