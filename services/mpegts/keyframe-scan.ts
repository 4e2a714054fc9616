import type { Codec } from './codec.ts';

/** Whether a decoder can begin with a picture; undecided until enough of it has been seen. */
export type Verdict = 'key' | 'plain' | 'undecided';

/** Parameter sets, messages and captions before the first slice are seldom longer. */
const MAX_SCANNED_BYTES = 8192;

/** What stands between two start codes, told by the byte behind the start code. */
export interface UnitReader {
  begin(hasIndicator: boolean): void;
  /** A start code, with the byte behind it. */
  unit(byte: number): Verdict;
  /** Every further byte, as long as the reader wants them. */
  byte(byte: number): Verdict;
}

/**
 * Tells from the first bytes of each picture whether a decoder can begin there. The random access
 * indicator helps where it is set, and is not needed; what it claims is checked where the codec is
 * one that we can read.
 */
export class KeyframeScan {
  readonly #reader: UnitReader | undefined;
  #hasIndicator = false;
  #verdict: Verdict = 'plain';
  #scanned = 0;
  /** The last four bytes: a start code may lie across packets. */
  #window = -1;

  constructor(codec: Codec) {
    this.#reader = READERS[codec]?.();
  }

  get verdict(): Verdict {
    return this.#verdict;
  }

  /** A picture begins; its bytes follow through `feed`. Unreadable ones are judged at once. */
  begin(hasIndicator: boolean, isReadable: boolean): void {
    this.#hasIndicator = hasIndicator;
    this.#scanned = 0;
    this.#window = -1;
    this.#reader?.begin(hasIndicator);
    const canRead = isReadable && this.#reader !== undefined;
    this.#verdict = canRead ? 'undecided' : this.#byIndicator();
  }

  feed(bytes: Buffer, from: number, to: number): Verdict {
    const reader = this.#reader;
    if (this.#verdict !== 'undecided' || reader === undefined) return this.#verdict;
    let window = this.#window;
    for (let at = from; at < to && this.#verdict === 'undecided'; at += 1) {
      const byte = bytes[at] ?? 0;
      const wasStart = (window & 0xffffff) === 1;
      window = (window << 8) | byte;
      this.#verdict = wasStart ? reader.unit(byte) : reader.byte(byte);
    }
    this.#window = window;
    this.#scanned += to - from;
    const isTooLong = this.#verdict === 'undecided' && this.#scanned >= MAX_SCANNED_BYTES;
    if (isTooLong) this.#verdict = this.#byIndicator();
    return this.#verdict;
  }

  #byIndicator(): Verdict {
    return this.#hasIndicator ? 'key' : 'plain';
  }
}

const verdictOf = (isKey: boolean): Verdict => (isKey ? 'key' : 'plain');

/** ITU-T H.264 table 7-1. */
const H264 = { slice: 1, idr: 5, message: 6, sequenceSet: 7, pictureSet: 8 } as const;
/** ITU-T H.264 §D.1: the message that says that decoding may begin here. */
const RECOVERY_POINT = 6;

/** An IDR picture, a recovery point or intra slices, each with its parameter sets or announced. */
class H264Reader implements UnitReader {
  #hasIndicator = false;
  #hasSets = false;
  #hasRecoveryPoint = false;
  #place: 'message' | 'slice' | 'else' = 'else';
  #messages = new MessageReader();

  begin(hasIndicator: boolean): void {
    this.#hasIndicator = hasIndicator;
    this.#hasSets = false;
    this.#hasRecoveryPoint = false;
    this.#place = 'else';
  }

  unit(byte: number): Verdict {
    const type = byte & 0x1f;
    this.#place = 'else';
    if (type === H264.sequenceSet) this.#hasSets = true;
    if (type === H264.idr) return verdictOf(this.#hasSets || this.#hasIndicator);
    if (type === H264.slice) return this.#slice();
    if (type === H264.message) {
      this.#place = 'message';
      this.#messages.begin();
    }
    return 'undecided';
  }

  byte(byte: number): Verdict {
    if (this.#place === 'slice') return verdictOf(isIntraSlice(byte));
    if (this.#place === 'message' && this.#messages.begins(byte, RECOVERY_POINT)) {
      this.#hasRecoveryPoint = true;
    }
    return 'undecided';
  }

  #slice(): Verdict {
    if (this.#hasRecoveryPoint) return verdictOf(this.#hasSets || this.#hasIndicator);
    if (!this.#hasSets) return 'plain';
    this.#place = 'slice';
    return 'undecided';
  }
}

/** §7.3.3: first_mb_in_slice 0 is the bit 1, slice_type 7 is 0001000 and 2 is 011. */
const isIntraSlice = (byte: number): boolean => byte === 0x88 || (byte & 0xf0) === 0xb0;

/** Steps through the messages of one SEI unit (§7.3.2.3.1). */
class MessageReader {
  #field: 'type' | 'size' | 'body' = 'type';
  #type = 0;
  #left = 0;
  #zeros = 0;

  begin(): void {
    this.#field = 'type';
    this.#type = 0;
    this.#left = 0;
    this.#zeros = 0;
  }

  /** Whether a message of this type has begun with this byte. */
  begins(byte: number, wanted: number): boolean {
    const isEmulation = byte === 3 && this.#zeros >= 2;
    this.#zeros = byte === 0 ? this.#zeros + 1 : 0;
    if (isEmulation) return false;
    if (this.#field === 'type') return this.#readType(byte, wanted);
    if (this.#field === 'size') this.#readSize(byte);
    else this.#skip();
    return false;
  }

  #readType(byte: number, wanted: number): boolean {
    this.#type += byte;
    if (byte === 0xff) return false;
    this.#field = 'size';
    this.#left = 0;
    return this.#type === wanted;
  }

  #readSize(byte: number): void {
    this.#left += byte;
    if (byte === 0xff) return;
    this.#field = 'body';
    if (this.#left === 0) this.#next();
  }

  #skip(): void {
    this.#left -= 1;
    if (this.#left === 0) this.#next();
  }

  #next(): void {
    this.#field = 'type';
    this.#type = 0;
  }
}

/** ITU-T H.265 table 7-1: slices are 0–31, of them 16–23 begin a sequence; 32–34 are sets. */
class HevcReader implements UnitReader {
  #hasSets = false;
  #hasIndicator = false;

  begin(hasIndicator: boolean): void {
    this.#hasSets = false;
    this.#hasIndicator = hasIndicator;
  }

  unit(byte: number): Verdict {
    const type = (byte >> 1) & 0x3f;
    if (type === 32 || type === 33) this.#hasSets = true;
    if (type > 31) return 'undecided';
    return verdictOf(type >= 16 && type <= 23 && (this.#hasSets || this.#hasIndicator));
  }

  byte(): Verdict {
    return 'undecided';
  }
}

/** ISO/IEC 13818-2 table 6-1; coding type 1 is an intra picture. */
const MPEG2 = { picture: 0x00, sequence: 0xb3 } as const;

class Mpeg2Reader implements UnitReader {
  #hasSequence = false;
  /** Bytes to the one with the coding type; −1: none awaited. */
  #awaited = -1;

  begin(): void {
    this.#hasSequence = false;
    this.#awaited = -1;
  }

  unit(byte: number): Verdict {
    if (byte === MPEG2.sequence) this.#hasSequence = true;
    this.#awaited = byte === MPEG2.picture ? 2 : -1;
    return 'undecided';
  }

  byte(byte: number): Verdict {
    if (this.#awaited < 0) return 'undecided';
    this.#awaited -= 1;
    if (this.#awaited > 0) return 'undecided';
    return verdictOf(this.#hasSequence && ((byte >> 3) & 0x07) === 1);
  }
}

const READERS: Readonly<Partial<Record<Codec, () => UnitReader>>> = {
  h264: () => new H264Reader(),
  hevc: () => new HevcReader(),
  'mpeg1-video': () => new Mpeg2Reader(),
  'mpeg2-video': () => new Mpeg2Reader(),
};
