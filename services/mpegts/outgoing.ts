import { HoldQueue } from './hold-queue.ts';
import { hevcEnd } from './made-packets.ts';
import type { OutputLedger } from './output-ledger.ts';
import { PACKET_BYTES, PacketView } from './packet.ts';
import { PacketWriter } from './packet-writer.ts';

/** A picture of 4 MiB is more than any real one: what is larger is no longer held back. */
const MAX_HELD_PACKETS = Math.floor((4 * 1024 * 1024) / PACKET_BYTES);

/** The way out: holds packets back until their picture is whole, and knows where joiners begin. */
export class Outgoing {
  readonly #ledger: OutputLedger;
  readonly #hold = new HoldQueue();
  readonly #view = new PacketView();
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Positions of keyframes that are held. */
  #joins: number[] = [];
  #joinOffsets: number[] = [];

  constructor(ledger: OutputLedger) {
    this.#ledger = ledger;
  }

  /** What has gone out since `begin`. */
  get parts(): readonly Buffer[] {
    return this.#parts;
  }

  /** Where keyframes begin in `parts`, in bytes over all of them. */
  get joinOffsets(): readonly number[] {
    return this.#joinOffsets;
  }

  get heldPackets(): number {
    return this.#hold.packets;
  }

  begin(): void {
    this.#parts = [];
    this.#bytes = 0;
    this.#joinOffsets = [];
  }

  /** The main track's latest unit is a keyframe. */
  noteJoin(): void {
    const { main } = this.#ledger;
    if (main !== undefined && main.unitStart >= 0) this.#joins.push(main.unitStart);
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
    if (this.#joins.length > 0) this.#placeJoins(from, position - keep);
    this.#send(this.#hold.advance(part, keep, isLent));
  }

  /** Lets through what is held, and what is not MPEG-TS. */
  pass(part: Buffer): void {
    this.#send(this.#hold.drain());
    this.#send([part]);
  }

  /** What is held and whole goes out, the rest never; for HEVC the end of its sequence follows. */
  finish(): void {
    const from = this.#ledger.position - this.#hold.packets;
    const writer = new PacketWriter(this.#hold.packets);
    let position = from;
    for (const part of this.#hold.drain()) {
      for (let at = 0; at < part.length; at += PACKET_BYTES, position += 1) {
        this.#view.read(part, at);
        if (!this.#ledger.isUnfinished(this.#view.pid, position)) writer.append(part, at);
      }
    }
    this.#joins = [];
    this.#ledger.withdrawOpen(position - from - writer.packets);
    this.#send([writer.written]);
    this.#endSequence();
  }

  #endSequence(): void {
    const { main } = this.#ledger;
    if (main?.codec !== 'hevc' || main.counter < 0) return;
    this.#send([hevcEnd({ pid: main.pid, counter: main.counter + 1 }, main.isSized)]);
    this.#ledger.seeUnread(main);
  }

  #placeJoins(from: number, until: number): void {
    for (const position of this.#joins) {
      if (position < from || position >= until) continue;
      this.#joinOffsets.push(this.#bytes + (position - from) * PACKET_BYTES);
    }
    this.#joins = this.#joins.filter((position) => position >= until);
  }

  #send(parts: readonly Buffer[]): void {
    for (const part of parts) {
      if (part.length === 0) continue;
      this.#parts.push(part);
      this.#bytes += part.length;
    }
  }
}
