import { describe, expect, it } from 'vitest';
import { GopBuffer } from '../../../services/delivery/live/gop-buffer.ts';

const PMT_PID = 0x1000;
const VIDEO_PID = 0x100;

type Traits = { readonly starts?: boolean; readonly flags?: number; readonly mark?: number };

/** One packet; `flags` are those of an adaptation field, which it has only then. */
function packet(pid: number, { starts = false, flags, mark = 0 }: Traits = {}): Buffer {
  const bytes = Buffer.alloc(188, mark);
  bytes[0] = 0x47;
  bytes.writeUInt16BE((starts ? 0x4000 : 0) | pid, 1);
  bytes[3] = flags === undefined ? 0x10 : 0x30;
  if (flags !== undefined) bytes.set([7, flags], 4);
  return bytes;
}

/** A PAT with the network's entry and one program. */
function pat(): Buffer {
  const bytes = packet(0, { starts: true });
  const section = [0, 0xb0, 17, 0, 1, 0xc1, 0, 0, 0, 0, 0xe0, 0x10, 0, 1, 0xf0, 0, 1, 2, 3, 4];
  bytes.set([0, ...section], 4);
  return bytes;
}

const pmt = (mark = 0): Buffer => packet(PMT_PID, { starts: true, mark });
const keyframe = (mark = 0): Buffer => packet(VIDEO_PID, { starts: true, flags: 0x50, mark });
const picture = (mark = 0): Buffer => packet(VIDEO_PID, { starts: true, mark });

function buffered(parts: readonly Buffer[], maxBytes = 188 * 100): Buffer {
  const buffer = new GopBuffer(maxBytes);
  buffer.push(parts);
  return Buffer.concat(buffer.content);
}

describe('what a standby keeps', () => {
  it('is the tables and all since the last keyframe', () => {
    const all = [pat(), pmt(1), keyframe(2), picture(3), pmt(4), keyframe(5), picture(6)];
    const expected = [pat(), pmt(4), keyframe(5), picture(6)];
    expect(buffered([Buffer.concat(all)])).toEqual(Buffer.concat(expected));
    expect(buffered(all)).toEqual(Buffer.concat(expected));
  });

  it('is its own copy of memory that was lent', () => {
    const lent = Buffer.concat([pat(), pmt(), keyframe(1)]);
    const buffer = new GopBuffer(1000);
    const expected = Buffer.from(lent);
    buffer.push([lent]);
    lent.fill(0);
    expect(Buffer.concat(buffer.content)).toEqual(expected);
  });

  it.each([
    ['says nothing of random access', 0x10],
    ['carries no clock reference, as those of sound', 0x40],
  ])('does not begin with a packet that %s', (_name, flags) => {
    const unit = packet(VIDEO_PID, { starts: true, flags });
    expect(buffered([pat(), pmt(), unit])).toEqual(Buffer.concat([pat(), pmt()]));
  });

  it('keeps every packet of a table that takes several, and no more than eight', () => {
    const more = Array.from({ length: 20 }, (_, n) => packet(PMT_PID, { mark: n }));
    const expected = [pat(), pmt(), ...more.slice(0, 7)];
    expect(buffered([pat(), pmt(), ...more])).toEqual(Buffer.concat(expected));
  });

  it('is bounded: of a group of pictures that is too large only the tables are left', () => {
    const buffer = new GopBuffer(188 * 3);
    buffer.push([pat(), pmt(), keyframe(1), picture(2), picture(3)]);
    expect(buffer.bytes).toBe(188 * 3);
    buffer.push([picture(4), picture(5)]);
    expect(Buffer.concat(buffer.content)).toEqual(Buffer.concat([pat(), pmt()]));
    buffer.push([keyframe(6)]);
    expect(Buffer.concat(buffer.content)).toEqual(Buffer.concat([pat(), pmt(), keyframe(6)]));
  });

  it('is nothing of what is not a transport stream', () => {
    expect(buffered([Buffer.from('ID3 and some sound')])).toHaveLength(0);
  });

  it('does not fall over tables that make no sense', () => {
    const broken = packet(0, { starts: true, mark: 0xff });
    const cut = packet(0, { starts: true, flags: 0 });
    cut[4] = 183;
    expect(buffered([broken, cut])).toHaveLength(188);
  });
});
