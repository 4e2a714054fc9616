import { MediaError } from '#kernel/app-error';
import { boxBytes, boxType } from './box.ts';

/**
 * What fragmented MP4 consists of: `init` is `ftyp` with `moov`, `fragment` is `moof` with the
 * `mdat` that follows it. Everything else between them is of no use to players.
 */
export type Unit = { readonly kind: 'init' | 'fragment'; readonly bytes: Buffer };

/** A second of the richest picture is less. */
const MOST_UNIT_BYTES = 64 * 1024 * 1024;
const LEAST_BOX_BYTES = 8;

/** Puts the units of one fragmented MP4 together from bytes as they come. */
export class UnitStream {
  #parts: Buffer[] = [];
  #bytes = 0;
  #lead: Buffer[] = [];

  /**
   * Takes the next bytes, which may be lent: what is kept of them is copied.
   * @throws MediaError `UPSTREAM_WRONG_TYPE` for what is no fragmented MP4; it is of no more use.
   */
  push(bytes: Buffer): readonly Unit[] {
    this.#parts.push(Buffer.from(bytes));
    this.#bytes += bytes.length;
    const units: Unit[] = [];
    for (let box = this.#take(); box !== undefined; box = this.#take()) {
      const unit = this.#unit(box);
      if (unit !== undefined) units.push(unit);
    }
    return units;
  }

  #take(): Buffer | undefined {
    const size = this.#size();
    if (size === undefined || size > this.#bytes) return undefined;
    const all = this.#joined();
    this.#parts = [all.subarray(size)];
    this.#bytes -= size;
    return all.subarray(0, size);
  }

  #size(): number | undefined {
    const [first] = this.#parts;
    const head = first !== undefined && first.length >= 16 ? first : this.#joined();
    const size = boxBytes(head);
    if (size === undefined) return undefined;
    if (size < LEAST_BOX_BYTES || size > MOST_UNIT_BYTES) throw noFragments();
    return size;
  }

  #joined(): Buffer {
    if (this.#parts.length !== 1) this.#parts = [Buffer.concat(this.#parts)];
    return this.#parts[0] ?? Buffer.alloc(0);
  }

  #unit(box: Buffer): Unit | undefined {
    const type = boxType(box);
    if (type === 'ftyp' || type === 'moof') this.#lead = [box];
    const isEnd = (type === 'moov' || type === 'mdat') && this.#lead.length > 0;
    if (!isEnd) return undefined;
    const bytes = Buffer.concat([...this.#lead, box]);
    this.#lead = [];
    return { kind: type === 'moov' ? 'init' : 'fragment', bytes };
  }
}

const noFragments = (): MediaError =>
  new MediaError('UPSTREAM_WRONG_TYPE', { message: 'This is no fragmented MP4.' });
