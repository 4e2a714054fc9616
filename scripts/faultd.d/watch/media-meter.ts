import type { Decoder } from './decoder.ts';
import { PacketReader } from './packet-reader.ts';
import { TsMeter } from './ts-meter.ts';
import { WholeUnits } from './whole-units.ts';

/** Bytes by which it is known whether this is a transport stream. */
const LOOK_BYTES = 8 * 1024;

/** Measures one body and hands it to a decoder: a transport stream packet by packet, else as is. */
export class MediaMeter {
  readonly #decoder: Decoder | undefined;
  readonly #reader = new PacketReader();
  readonly #meter = new TsMeter();
  readonly #units = new WholeUnits(this.#meter.tables);
  #first: Buffer | undefined = Buffer.alloc(0);
  #isTs = false;

  constructor(decoder: Decoder | undefined) {
    this.#decoder = decoder;
  }

  see(chunk: Buffer, atMs: number): void {
    if (this.#first === undefined) return this.#seePart(chunk, atMs);
    this.#first = Buffer.concat([this.#first, chunk]);
    if (this.#first.length >= LOOK_BYTES) this.#decide(atMs);
  }

  /** `isCut`: the viewer left, so the last frames are not whole, and that is nobody's fault. */
  end(atMs: number, isCut: boolean): void {
    if (this.#first !== undefined) this.#decide(atMs);
    this.#meter.end(atMs);
    if (this.#isTs && !isCut) this.#decoder?.write(this.#units.rest());
  }

  /** `null` when it was no transport stream. */
  get report() {
    if (!this.#isTs) return null;
    const { syncLosses, skippedBytes } = this.#reader;
    return { ...this.#meter.report, sync_losses: syncLosses, skipped_bytes: skippedBytes };
  }

  #decide(atMs: number): void {
    const first = this.#first ?? Buffer.alloc(0);
    this.#first = undefined;
    this.#isTs = new PacketReader().read(first).length > 0;
    this.#seePart(first, atMs);
  }

  #seePart(part: Buffer, atMs: number): void {
    if (!this.#isTs) {
      this.#decoder?.write(part);
      return;
    }
    const packets = this.#reader.read(part);
    this.#meter.see(packets, atMs);
    if (this.#decoder) this.#decoder.write(this.#units.take(packets));
  }
}
