import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PacketView } from '../../../services/mpegts/packet.ts';
import { KeyframeGate, PacketAligner, Splicer, TsAnalyser, readClip, readPacket } from '#mpegts';
import {
  AUDIO_PID,
  H264_PLAIN,
  PMT_PID,
  PROGRAM,
  TsBuilder,
  VIDEO_PID,
  packet,
  pes,
  simpleStream,
} from '../../support/ts-build.ts';

/** Random and mutated input never throws, and nothing is kept of it without a bound. */

const STREAM = simpleStream({ pictures: 30 });
const OTHER = simpleStream({ pictures: 30, firstPts90k: 9_000_000, videoPid: 0x200 });

/** Everything that reads packets, in all of its stages. @returns the packets that are held. */
function readAll(chunks: readonly Buffer[]): number {
  const [splicer, spliced, analyser, gate] = [
    new Splicer(),
    new Splicer(),
    new TsAnalyser(),
    new KeyframeGate(),
  ];
  const aligner = new PacketAligner();
  spliced.push([STREAM]);
  spliced.switchSource();
  for (const chunk of chunks) {
    const parts = aligner.align(chunk);
    if (aligner.isTransportStream !== true) continue;
    expectPackets(splicer.push(parts));
    expectPackets(spliced.push(parts));
    analyser.push(parts);
    gate.push(parts);
    for (const part of parts) readPacket(part, 0);
  }
  const held = splicer.heldPackets + spliced.heldPackets;
  expect((splicer.look ?? spliced.look)?.audio.length ?? 0).toBeLessThan(300);
  splicer.switchSource();
  spliced.switchSource();
  readClip(Buffer.concat(chunks));
  return held;
}

/** Whole packets, of which none has been written over. */
function expectPackets(parts: readonly Buffer[]): void {
  for (const part of parts) {
    expect(part.length % 188).toBe(0);
    for (let at = 0; at < part.length; at += 188)
      if (part[at] !== 0x47) expect(part[at]).toBe(0x47);
  }
}

const MAX_HELD_PACKETS = (2 * 4 * 1024 * 1024) / 188;

/** Each in memory of its own, so that whoever reads beyond it is found out. */
const alone = (bytes: Buffer): Buffer => {
  const memory = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(memory);
  return memory;
};

const PIDS = [0, 0x11, PMT_PID, VIDEO_PID, AUDIO_PID, 0x1fff];
/** A packet with a header that makes sense, or nearly, and anything behind it. */
const anyPacket = fc
  .record({
    pid: fc.constantFrom(...PIDS),
    bits: fc.constantFrom(0, 0x40, 0x80, 0xc0),
    control: fc.nat(255),
    field: fc.oneof(fc.nat(255), fc.integer({ min: 170, max: 190 })),
    start: fc.constantFrom('000001e0', '000001c0', '0000', '00b0'),
    content: fc.uint8Array({ minLength: 188, maxLength: 188 }),
  })
  .map(({ pid, bits, control, field, start, content }) => {
    const bytes = alone(Buffer.from(content));
    bytes[0] = 0x47;
    bytes.writeUInt16BE((bits << 8) | pid, 1);
    bytes[3] = control;
    bytes[4] = field;
    const payloadAt = (control & 0x20) === 0 ? 4 : Math.min(187, 5 + field);
    Buffer.from(start, 'hex').copy(bytes, payloadAt);
    return bytes;
  });

describe('whatever bytes come', () => {
  it('packets of any content are read without an error', () => {
    fc.assert(
      fc.property(fc.array(anyPacket, { minLength: 3, maxLength: 40 }), (packets) => {
        expect(
          readAll([alone(STREAM.subarray(0, 188 * 12)), ...packets, alone(OTHER), ...packets]),
        ).toBeLessThan(MAX_HELD_PACKETS);
      }),
      { numRuns: 120 },
    );
  });

  it('a stream with bytes changed, lost, doubled and put between is read without an error', () => {
    const damage = fc.record({
      at: fc.nat(STREAM.length - 1),
      kind: fc.constantFrom('change', 'lose', 'insert'),
      length: fc.integer({ min: 1, max: 400 }),
      value: fc.nat(255),
    });
    fc.assert(
      fc.property(
        fc.array(damage, { maxLength: 30 }),
        fc.integer({ min: 1, max: 4000 }),
        (all, step) => {
          let bytes = Buffer.from(STREAM);
          for (const { at, kind, length, value } of all)
            bytes = damaged(bytes, { at, kind, length, value });
          const chunks: Buffer[] = [];
          for (let at = 0; at < bytes.length; at += step)
            chunks.push(alone(bytes.subarray(at, at + step)));
          expect(readAll(chunks)).toBeLessThan(MAX_HELD_PACKETS);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('a header that says more than there is, at the very end of the memory', () => {
    const fields = [0, 1, 2, 6, 7, 8, 13, ...Array.from({ length: 24 }, (_, n) => 165 + n), 255];
    const kinds = [0x10, 0x20, 0x30].flatMap((control) =>
      [0, 0x10, 0xff].map((flags) => [control, flags] as const),
    );
    for (const field of fields) {
      for (const [control, flags] of kinds) {
        const last = atTheEnd(field, control, flags);
        const chunks = [alone(STREAM.subarray(0, 188 * 12)), last, Buffer.concat([last, OTHER])];
        expect(readAll(chunks)).toBeLessThan(MAX_HELD_PACKETS);
      }
    }
  });
});

type Damage = {
  readonly at: number;
  readonly kind: string;
  readonly length: number;
  readonly value: number;
};

function damaged(bytes: Buffer, { at, kind, length, value }: Damage): Buffer<ArrayBuffer> {
  const filler = Buffer.alloc(length, value);
  const rest = kind === 'insert' ? at : at + length;
  const between = kind === 'lose' ? Buffer.alloc(0) : filler;
  return Buffer.concat([bytes.subarray(0, at), between, bytes.subarray(rest)]);
}

/** A unit of video begins in the last bytes, with all the times it could have. */
function atTheEnd(field: number, control: number, flags: number): Buffer {
  const bytes = alone(Buffer.alloc(188, 0xff));
  bytes[0] = 0x47;
  bytes.writeUInt16BE(0x4000 | VIDEO_PID, 1);
  bytes[3] = control;
  bytes[4] = field;
  bytes[5] = flags;
  const payloadAt = Math.min(187, control === 0x10 ? 4 : 5 + field);
  Buffer.from('000001e000008ac00a', 'hex').copy(bytes, payloadAt);
  return bytes;
}

describe('what is kept of a source that never gives a keyframe', () => {
  const MOST_BYTES = 6 * 1024 * 1024;
  const tracks = Array.from({ length: 120 }, (_, index) => ({
    ...PROGRAM.tracks[1]!,
    pid: 0x400 + index,
  }));

  it.each<[string, () => TsBuilder]>([
    [
      'one picture without end',
      () => many(new TsBuilder(), 4000, (b) => b.packet({ pid: VIDEO_PID, payload: FULL })),
    ],
    [
      'one audio packet without end',
      () => many(new TsBuilder(), 4000, (b) => b.packet({ pid: AUDIO_PID, payload: FULL })),
    ],
    [
      'audio packets of the smallest kind',
      () => many(new TsBuilder(), 4000, (b, n) => b.unit(AUDIO_PID, sound(n, 20))),
    ],
    [
      'audio packets of the largest kind',
      () => many(new TsBuilder(), 12, (b, n) => b.unit(AUDIO_PID, sound(n, 60_000))),
    ],
    [
      'a hundred audio tracks',
      () =>
        many(
          new TsBuilder().tables({ ...PROGRAM, tracks: [PROGRAM.tracks[0]!, ...tracks] }),
          240,
          (b, n) => b.unit(0x400 + (n % 120), sound(n, 4000)),
        ),
    ],
  ])('is little: %s', async (_name, build) => {
    const splicer = new Splicer();
    splicer.push([STREAM]);
    splicer.switchSource();
    const picture = pes({ pts90k: 0, data: H264_PLAIN });
    splicer.push([new TsBuilder().tables().unit(VIDEO_PID, picture).bytes]);
    splicer.push([packet({ pid: AUDIO_PID, starts: true, payload: sound(0, 100) })]);
    const { bytes } = build();
    const before = await memoryNow();
    for (let sent = 0; sent < 24 * 1024 * 1024; sent += bytes.length) splicer.push([bytes]);
    expect(splicer.stage).toBe('seeking');
    expect((await memoryNow()) - before).toBeLessThan(MOST_BYTES);
    expect(splicer.heldPackets).toBe(0);
  });
});

const FULL = Buffer.alloc(184, 0x55);

const sound = (pts90k: number, length: number): Buffer =>
  pes({ pts90k, data: Buffer.alloc(length, 1), streamId: 0xc0, isSized: true });

function many(
  builder: TsBuilder,
  count: number,
  add: (builder: TsBuilder, index: number) => unknown,
): TsBuilder {
  for (let index = 0; index < count; index += 1) add(builder, index);
  return builder;
}

/** What is in use, after all that is not has been given back, which takes a moment. */
async function memoryNow(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let least = Infinity;
  for (let round = 0; round < 5; round += 1) {
    collect();
    await setImmediate();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    least = Math.min(least, heapUsed + arrayBuffers);
  }
  return least;
}

describe('an adaptation field that is longer than its packet', () => {
  it.each([184, 200, 255])('of %i bytes leaves no payload behind it', (length) => {
    const view = new PacketView();
    const bytes = atTheEnd(length, 0x30, 0xff);
    view.read(bytes, 0);
    expect(view).toMatchObject({ hasPayload: false, startsUnit: false, payloadBytes: 0, flags: 0 });
  });
});

it('a time that its packet has no room for is none', () => {
  const bytes = Buffer.concat([atTheEnd(172, 0x30, 0), OTHER]);
  expect(readPacket(bytes, 0)).toEqual({ pid: VIDEO_PID, startsUnit: true, pts90k: -1 });
});
