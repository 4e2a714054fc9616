import { describe, expect, it } from 'vitest';
import { MediaPace, PACKET_BYTES } from '#mpegts';

/** One packet with a clock, as ISO/IEC 13818-1 §2.4.3.4 has it. */
function clockPacket(seconds: number, pid = 256): Buffer {
  const packet = Buffer.alloc(PACKET_BYTES, 0xff);
  packet.set([0x47, pid >> 8, pid & 0xff, 0x20, 183, 0x10]);
  const base = Math.round(seconds * 90_000) % 2 ** 33;
  packet.writeUInt32BE(Math.floor(base / 2), 6);
  packet.set([((base & 1) << 7) | 0x7e, 0], 10);
  return packet;
}

const clocks = (...seconds: readonly number[]): Buffer =>
  Buffer.concat(seconds.map((at) => clockPacket(at)));

describe('how far a stream is ahead of its time', () => {
  it('is what its clock has run beyond ours', () => {
    const pace = new MediaPace();
    expect(pace.take(clocks(100, 101, 105), 1_000)).toBe(5_000);
    expect(pace.take(clocks(106), 4_000)).toBe(3_000);
  });

  it('is nothing for media that is late, and that is not made up for', () => {
    const pace = new MediaPace();
    pace.take(clocks(10, 10.5, 11), 0);
    expect(pace.take(clocks(12), 30_000)).toBe(1_000 - 1_000);
    expect(pace.take(clocks(14), 30_000)).toBe(2_000);
  });

  it('goes on over a clock that wraps, and one that begins anew', () => {
    const pace = new MediaPace();
    const last = 2 ** 33 / 90_000;
    expect(pace.take(clocks(last - 1, last + 1), 0)).toBeCloseTo(2_000, 0);
    expect(pace.take(clocks(50_000, 50_001), 0)).toBeCloseTo(3_000, 0);
  });
});
