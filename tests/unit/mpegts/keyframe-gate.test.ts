import { describe, expect, it } from 'vitest';
import { KeyframeGate, Splicer } from '#mpegts';
import { H264_PLAIN, TsBuilder, VIDEO_PID, pes, simpleStream } from '../../support/ts-build.ts';

const plainPictures = (count: number, bytes: number): Buffer => {
  const builder = new TsBuilder().tables();
  const data = Buffer.concat([H264_PLAIN, Buffer.alloc(bytes)]);
  for (let nth = 0; nth < count; nth += 1) {
    builder.unit(VIDEO_PID, pes({ pts90k: nth * 3600, data }));
  }
  return builder.bytes;
};

describe('a gate before a source', () => {
  it('opens with the first keyframe, and gives all that has come', () => {
    const gate = new KeyframeGate();
    const [before, after] = [plainPictures(3, 100), simpleStream()];
    expect(gate.push([before])).toBeUndefined();
    const opened = gate.push([after]) ?? [];
    expect(Buffer.concat([...opened]).equals(Buffer.concat([before, after]))).toBe(true);
  });

  it('copies what it was lent', () => {
    const gate = new KeyframeGate();
    const lent = plainPictures(3, 100);
    const before = Buffer.from(lent);
    gate.push([lent]);
    lent.fill(0);
    const [first] = gate.push([simpleStream()]) ?? [];
    expect(first?.equals(before)).toBe(true);
  });

  it('keeps the latest two mebibytes, and gives the tables when they are older', () => {
    const gate = new KeyframeGate();
    const pictures = plainPictures(40, 100_000);
    for (let at = 0; at < pictures.length; at += 188 * 100) {
      gate.push([pictures.subarray(at, at + 188 * 100)]);
    }
    const opened = gate.push([simpleStream()]) ?? [];
    expect(opened.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(2.1 * 1024 * 1024);
    const splicer = new Splicer();
    splicer.push([simpleStream()]);
    splicer.switchSource();
    expect(splicer.push(opened).length).toBeGreaterThan(0);
  });

  it('opens for a scrambled source, and in the end for one without keyframes', () => {
    const scrambled = new TsBuilder().tables();
    scrambled.packet({ pid: VIDEO_PID, payload: Buffer.alloc(184), scrambled: true });
    expect(new KeyframeGate().push([scrambled.bytes])).toBeDefined();
    const endless = new KeyframeGate();
    const pictures = plainPictures(10, 200_000);
    const opened = Array.from({ length: 9 }, () => endless.push([pictures]) !== undefined);
    expect(opened.indexOf(true)).toBe(8);
  });
});
