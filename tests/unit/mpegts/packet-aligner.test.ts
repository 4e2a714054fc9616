import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PacketAligner, syncOffset } from '#mpegts';

const packets = (count: number, mark = 0): Buffer =>
  Buffer.concat(
    Array.from({ length: count }, (_, n) =>
      Buffer.concat([Buffer.from([0x47]), Buffer.alloc(187, (mark + n) % 0x40)]),
    ),
  );

/** Cuts bytes into pieces of these sizes, round and round. */
function pieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const size = sizes[n % sizes.length] ?? 1;
    cut.push(bytes.subarray(at, at + size));
    at += size;
  }
  return cut;
}

const sizes = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 });

describe('cutting a source at packet boundaries', () => {
  it('gives whole packets only, in order, however the source is cut', () => {
    const whole = packets(20);
    fc.assert(
      fc.property(sizes, (cuts) => {
        const aligner = new PacketAligner();
        const out = pieces(whole, cuts).flatMap((piece) => aligner.align(piece));
        for (const part of out) expect(part.length % 188).toBe(0);
        expect(Buffer.concat(out).equals(whole)).toBe(true);
      }),
    );
  });

  it('finds the packets again behind garbage, and loses none that is whole', () => {
    const garbage = fc.uint8Array({ minLength: 1, maxLength: 900 });
    fc.assert(
      fc.property(garbage, sizes, (noise, cuts) => {
        const clean = Buffer.from(noise.map((byte) => (byte === 0x47 ? 0 : byte)));
        const source = Buffer.concat([packets(6), clean, packets(6, 6)]);
        const aligner = new PacketAligner();
        const out = pieces(source, cuts).flatMap((piece) => aligner.align(piece));
        expect(Buffer.concat(out).equals(Buffer.concat([packets(6), packets(6, 6)]))).toBe(true);
        expect(aligner.lostBytes).toBe(clean.length);
      }),
    );
  });

  it('gives up one packet where one sync byte is damaged', () => {
    const source = packets(9);
    source[188 * 4] = 0;
    const aligner = new PacketAligner();
    expect(Buffer.concat([...aligner.align(source)])).toHaveLength(188 * 8);
  });

  it('passes whole packets as they are, without a copy', () => {
    const source = packets(4);
    const [part] = new PacketAligner().align(source);
    expect(part?.buffer).toBe(source.buffer);
  });

  it('keeps back the packet that the source did not finish', () => {
    const out = new PacketAligner().align(packets(3).subarray(0, 500));
    expect(Buffer.concat(out)).toHaveLength(376);
  });

  it('begins in the middle of a packet that comes in small pieces', () => {
    const source = packets(8).subarray(100);
    const aligner = new PacketAligner();
    const out = pieces(source, [40]).flatMap((piece) => aligner.align(piece));
    expect(aligner.isTransportStream).toBe(true);
    expect(Buffer.concat(out)).toHaveLength(188 * 7);
  });

  it('passes what is not MPEG-TS as it is', () => {
    const aligner = new PacketAligner();
    const bytes = Buffer.from('ID3 something else altogether. '.repeat(8));
    expect(aligner.align(bytes)).toEqual([bytes]);
    expect(aligner.isTransportStream).toBe(false);
  });

  it('never throws on random bytes, and gives whole packets or everything', () => {
    const checked = fc.check(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 600 })), (chunks) => {
        const aligner = new PacketAligner();
        const out = chunks.flatMap((chunk) => aligner.align(Buffer.from(chunk)));
        const passed = Buffer.concat(out).equals(Buffer.concat(chunks));
        return aligner.isTransportStream !== false || passed;
      }),
    );
    expect(checked.failed).toBe(false);
  });

  it('does not take a lone sync byte in the middle for a packet', () => {
    const bytes = Buffer.concat([Buffer.from('abc'), Buffer.from([0x47]), Buffer.from('def')]);
    expect(syncOffset(bytes)).toBeUndefined();
  });
});
