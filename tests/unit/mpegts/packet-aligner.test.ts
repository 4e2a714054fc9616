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

describe('cutting a source at packet boundaries', () => {
  it('gives whole packets only, in order, however the source is cut', () => {
    const whole = packets(20);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 }),
        (sizes) => {
          const [first = 1, ...rest] = sizes;
          const aligner = new PacketAligner();
          const out = pieces(whole, [first, ...rest]).flatMap((piece) => aligner.align(piece));
          for (const part of out) expect(part.length % 188).toBe(0);
          expect(Buffer.concat(out).equals(whole)).toBe(true);
        },
      ),
    );
  });

  it('keeps back the packet that the source did not finish', () => {
    const aligner = new PacketAligner();
    const out = aligner.align(packets(3).subarray(0, 500));
    expect(Buffer.concat(out)).toHaveLength(376);
  });

  it('begins behind what is no packet', () => {
    const aligner = new PacketAligner();
    const out = aligner.align(Buffer.concat([Buffer.alloc(77, 1), packets(5)]));
    expect(Buffer.concat(out).equals(packets(5))).toBe(true);
  });

  it('passes what is not MPEG-TS as it is', () => {
    const aligner = new PacketAligner();
    const bytes = Buffer.from('ID3 something else altogether');
    expect(aligner.align(bytes)).toEqual([bytes]);
    expect(aligner.isTransportStream).toBe(false);
  });

  it('never throws on random bytes and loses none that are not MPEG-TS', () => {
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
    expect(
      syncOffset(Buffer.concat([Buffer.from('abc'), Buffer.from([0x47]), Buffer.from('def')])),
    ).toBeUndefined();
  });
});
