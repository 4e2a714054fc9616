import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Splicer, TsAnalyser } from '#mpegts';
import {
  AUDIO_PID,
  H264_KEY,
  H264_PLAIN,
  PROGRAM,
  TsBuilder,
  VIDEO_PID,
  adtsFrame,
  packet,
  pes,
  simpleStream,
} from '../../support/ts-build.ts';
import { pesPackets } from '../../support/splice-check.ts';
import { checkTs } from '../../../scripts/faultd.d/ts-check.ts';
import { packetsOf } from '../../../scripts/faultd.d/ts-tools.ts';

const HOUR_90K = 3600 * 90_000;

/** Everything that one splicer gives back for these sources, one after the other. */
function splice(splicer: Splicer, ...sources: readonly Buffer[]): Buffer {
  const out: Buffer[] = [];
  for (const [index, source] of sources.entries()) {
    if (index > 0) out.push(...splicer.switchSource().map(copyOf));
    out.push(...splicer.push([source]).map(copyOf));
  }
  return Buffer.concat(out);
}

const lengthOf = (parts: readonly Buffer[]): number =>
  parts.reduce((sum, { length }) => sum + length, 0);

/** How many pictures viewers get of a source that is switched to. */
function picturesOf(source: Buffer): number {
  const splicer = new Splicer();
  splicer.push([simpleStream()]);
  const out = [...splicer.switchSource(), ...splicer.push([source]), ...splicer.switchSource()];
  return pesPackets(Buffer.concat(out), new Set([VIDEO_PID])).length;
}

const hashOf = (bytes: Buffer): string => createHash('md5').update(bytes).digest('base64');

const copyOf = (part: Buffer): Buffer => Buffer.from(part);

const factsOf = (bytes: Buffer) => {
  const analyser = new TsAnalyser();
  analyser.push([bytes]);
  return analyser.facts;
};

describe('before the first switch', () => {
  it('bytes are the memory that came', () => {
    const source = simpleStream();
    const [part] = new Splicer().push([source]);
    expect(part?.buffer).toBe(source.buffer);
  });

  it('nothing waits when the last picture and audio packet are whole', () => {
    const splicer = new Splicer();
    splicer.push([simpleStream()]);
    expect(splicer.heldPackets).toBe(0);
  });

  it('packets wait from the start of a picture that has not ended', () => {
    const splicer = new Splicer();
    splicer.push([new TsBuilder().tables().bytes]);
    const unit = new TsBuilder().unit(
      VIDEO_PID,
      pes({ pts90k: 0, data: Buffer.alloc(3000) }),
    ).bytes;
    splicer.push([unit.subarray(0, 188 * 4)]);
    expect(splicer.heldPackets).toBe(4);
    splicer.push([unit.subarray(188 * 4)]);
    expect(splicer.heldPackets).toBe(0);
  });

  it('a picture that never ends is let go when its track has died', () => {
    const splicer = new Splicer();
    const builder = new TsBuilder().tables();
    builder.packet({ pid: VIDEO_PID, starts: true, payload: Buffer.alloc(184) });
    splicer.push([builder.bytes]);
    expect(splicer.heldPackets).toBe(1);
    const audio = new TsBuilder();
    for (let n = 0; n < 100; n += 1) {
      audio.unit(AUDIO_PID, pes({ pts90k: n * 1920, data: Buffer.alloc(99), isSized: true }));
    }
    splicer.push([audio.bytes]);
    expect(splicer.heldPackets).toBe(0);
  });

  it('what is held is bounded', () => {
    const splicer = new Splicer();
    const endless = new TsBuilder().tables();
    endless.packet({ pid: VIDEO_PID, starts: true, payload: Buffer.alloc(184) });
    splicer.push([endless.bytes]);
    const more = packet({ pid: VIDEO_PID, payload: Buffer.alloc(184) });
    const chunk = Buffer.concat(Array.from({ length: 5000 }, () => more));
    for (let n = 0; n < 6; n += 1) splicer.push([chunk]);
    expect(splicer.heldPackets * 188).toBeLessThanOrEqual(4 * 1024 * 1024);
  });

  it('what is not MPEG-TS passes as it is', () => {
    const bytes = Buffer.from('not a transport stream');
    expect(new Splicer().push([bytes])).toEqual([bytes]);
  });
});

describe('a switch', () => {
  it('goes on with counters, times and PIDs', () => {
    const one = simpleStream({ pictures: 23 });
    const other = simpleStream({ pictures: 20, firstPts90k: HOUR_90K });
    const out = splice(new Splicer(), one, other, one);
    expect(checkTs(out)).toMatchObject({
      counterErrors: [],
      stepsBack: [],
      leaps: [],
      announced: 0,
    });
    expect(factsOf(out)).toMatchObject({ counterErrors: 0, keyframes: 5 + 4 + 5 });
  });

  it('begins with the tables and the first keyframe, and drops what comes before', () => {
    const splicer = new Splicer();
    splice(splicer, simpleStream());
    splicer.switchSource();
    const late = new TsBuilder().tables();
    late.unit(VIDEO_PID, pes({ pts90k: 0, data: Buffer.concat([H264_PLAIN, Buffer.alloc(300)]) }));
    expect(splicer.push([late.bytes])).toEqual([]);
    expect(splicer.stage).toBe('seeking');
    const out = Buffer.concat([...splicer.push([simpleStream({ firstPts90k: HOUR_90K })])]);
    expect([...packetsOf(out)].slice(0, 3).map(({ pid }) => pid)).toEqual([0, 0x1000, VIDEO_PID]);
    expect(splicer.joins[0]?.at).toBe(188 * 2);
    expect(splicer.stage).toBe('rewriting');
  });

  it('does not send half a picture of the old source', () => {
    const one = simpleStream();
    const half = one.subarray(0, one.length - 188 * 6);
    const splicer = new Splicer();
    const sent = Buffer.concat([...splicer.push([half]).map(copyOf), ...splicer.switchSource()]);
    const pictures = [...packetsOf(sent)].filter(
      ({ pid, startsUnit }) => pid === VIDEO_PID && startsUnit,
    );
    expect(pictures).toHaveLength(19);
  });

  it('sends of unfinished audio the frames that have come whole', () => {
    const frames = [1, 2, 3, 4].map((content) => adtsFrame(300, content));
    const audio = pes({ pts90k: 90_000 + 20 * 3600, data: Buffer.concat(frames), isSized: true });
    const unit = new TsBuilder().unit(AUDIO_PID, audio).bytes;
    const splicer = new Splicer();
    splicer.push([simpleStream()]);
    splicer.push([unit.subarray(0, unit.length - 188)]);
    const [last] = pesPackets(Buffer.concat([...splicer.switchSource()]), new Set([AUDIO_PID]));
    const whole = Buffer.concat(frames.slice(0, 3));
    expect(last).toMatchObject({ isWhole: true, hash: hashOf(whole) });
  });

  it('leaves out pictures shown before the first only until one is shown after it', () => {
    const times = [0, 3, -1, 1, -2].map((frame) => HOUR_90K + frame * 3600);
    const builder = new TsBuilder().tables();
    times.forEach((pts90k, index) => {
      const data = Buffer.concat([index === 0 ? H264_KEY : H264_PLAIN, Buffer.alloc(99)]);
      builder.unit(VIDEO_PID, pes({ pts90k, dts90k: HOUR_90K + index, data }));
    });
    const leading = new TsBuilder().tables();
    for (const [index, frame] of [0, -1, 1].entries()) {
      const data = Buffer.concat([index === 0 ? H264_KEY : H264_PLAIN, Buffer.alloc(99)]);
      const pts90k = HOUR_90K + frame * 3600;
      leading.unit(VIDEO_PID, pes({ pts90k, dts90k: HOUR_90K + index, data }));
    }
    expect(picturesOf(builder.bytes)).toBe(5);
    expect(picturesOf(leading.bytes)).toBe(2);
  });

  it('to a source without keyframes takes any picture after ten seconds of its time', () => {
    const splicer = new Splicer();
    splice(splicer, simpleStream());
    splicer.switchSource();
    const data = Buffer.concat([H264_PLAIN, Buffer.alloc(300)]);
    const stages = Array.from({ length: 12 }, (_, second) => {
      const builder = second === 0 ? new TsBuilder().tables() : new TsBuilder();
      splicer.push([builder.unit(VIDEO_PID, pes({ pts90k: second * 90_000, data })).bytes]);
      return splicer.stage;
    });
    expect(stages.indexOf('rewriting')).toBe(11);
  });

  it('to a source in which nothing can be found passes it as it is, after 28 MB', () => {
    const splicer = new Splicer();
    splice(splicer, simpleStream());
    splicer.switchSource();
    const unknown = Buffer.concat(
      Array.from({ length: 10_000 }, (_, counter) =>
        packet({ pid: 0x777, counter, payload: Buffer.alloc(184) }),
      ),
    );
    const counts = Array.from({ length: 17 }, () => lengthOf(splicer.push([unknown])));
    expect(counts.slice(0, 15)).toEqual(Array.from({ length: 15 }, () => 0));
    expect(counts[16]).toBe(unknown.length);
  });

  it('before anything was sent leaves the next source untouched', () => {
    const splicer = new Splicer();
    expect(splicer.switchSource()).toEqual([]);
    const source = simpleStream();
    expect(Buffer.concat([...splicer.push([source])]).equals(source)).toBe(true);
  });

  it('may come again before the new source has given a picture', () => {
    const splicer = new Splicer();
    const first = splice(splicer, simpleStream(), new TsBuilder().tables().bytes);
    expect(splicer.switchSource()).toEqual([]);
    const rest = splicer.push([simpleStream({ firstPts90k: HOUR_90K })]);
    expect(checkTs(Buffer.concat([first, ...rest]))).toMatchObject({
      counterErrors: [],
      leaps: [],
    });
  });

  it('to a source that marks no keyframes finds them', () => {
    const out = splice(new Splicer(), simpleStream(), simpleStream({ marks: false }));
    expect(factsOf(out).keyframes).toBe(8);
  });

  it('does not touch the memory that came', () => {
    const source = simpleStream({ firstPts90k: HOUR_90K });
    const before = Buffer.from(source);
    splice(new Splicer(), simpleStream(), source);
    expect(source.equals(before)).toBe(true);
  });

  it('keeps a loss visible that the new source had itself', () => {
    const other = simpleStream({ firstPts90k: HOUR_90K });
    const lost = [...packetsOf(other)].findLast(
      ({ pid, startsUnit }) => pid === VIDEO_PID && !startsUnit,
    );
    const holed = Buffer.concat([other.subarray(0, lost!.at), other.subarray(lost!.at + 188)]);
    const tail = simpleStream({ firstPts90k: HOUR_90K });
    expect(
      factsOf(splice(new Splicer(), simpleStream(), Buffer.concat([holed]))).counterErrors,
    ).toBe(0);
    const inside = Buffer.concat([tail.subarray(0, 188 * 4), tail.subarray(188 * 5)]);
    expect(factsOf(splice(new Splicer(), simpleStream(), inside)).counterErrors).toBe(1);
  });

  it('to a scrambled source only marks it', () => {
    const builder = new TsBuilder().tables();
    const payload = Buffer.alloc(184, 0x5a);
    for (let n = 0; n < 5; n += 1) {
      builder.packet({ pid: VIDEO_PID, starts: n % 2 === 0, scrambled: true, payload });
    }
    const out = splice(new Splicer(), simpleStream(), builder.bytes);
    // The last unit waits for its end.
    const tail = [...packetsOf(out)].slice(-5);
    expect(tail[0]).toMatchObject({ pid: VIDEO_PID, discontinuity: true, hasPayload: false });
    expect(tail.slice(1).every(({ at }) => out.subarray(at + 4, at + 188).equals(payload))).toBe(
      true,
    );
    expect(checkTs(out).counterErrors).toEqual([]);
  });

  it('to another layout raises the version and marks every PID', () => {
    const tracks = [{ ...PROGRAM.tracks[0]!, streamType: 0x02, codec: 'mpeg2-video' as const }];
    const builder = new TsBuilder().tables({ ...PROGRAM, tracks });
    const intra = Buffer.from('000001b31612000001000008', 'hex');
    builder.unit(VIDEO_PID, pes({ pts90k: HOUR_90K, data: intra }), { pcr90k: HOUR_90K - 900 });
    builder.unit(VIDEO_PID, pes({ pts90k: HOUR_90K + 3600, data: intra }));
    const splicer = new Splicer();
    const out = splice(splicer, simpleStream(), builder.bytes);
    const tables = splicer.joins.at(-1)?.tables ?? Buffer.alloc(0);
    expect(factsOf(tables).program).toMatchObject({ version: 1, pmtPid: 0x1000 });
    expect(checkTs(out)).toMatchObject({ announced: 1, counterErrors: [] });
  });
});

describe('whatever comes', () => {
  const streams = [
    simpleStream({ pictures: 9 }),
    simpleStream({ pictures: 9, firstPts90k: HOUR_90K }),
  ];
  const operation = fc.oneof(
    fc.record({ kind: fc.constant('switch' as const) }),
    fc.record({
      kind: fc.constant('push' as const),
      stream: fc.nat(1),
      from: fc.nat(60),
      packets: fc.integer({ min: 1, max: 60 }),
      damages: fc.array(fc.tuple(fc.nat(188 * 60), fc.nat(255)), { maxLength: 20 }),
    }),
    fc.record({
      kind: fc.constant('noise' as const),
      bytes: fc.uint8Array({ maxLength: 188 * 3 }),
    }),
  );

  it('the splicer gives whole packets, holds little, and never throws', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 25 }), (operations) => {
        const splicer = new Splicer();
        for (const operationNow of operations) run(splicer, operationNow);
        expect(splicer.heldPackets * 188).toBeLessThanOrEqual(4 * 1024 * 1024);
      }),
    );
  });

  type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

  function run(splicer: Splicer, operationNow: Operation): void {
    if (operationNow.kind === 'switch') return void splicer.switchSource();
    if (operationNow.kind === 'noise') return void splicer.push([Buffer.from(operationNow.bytes)]);
    const { stream, from, packets, damages } = operationNow;
    const chunk = Buffer.from(streams[stream]!.subarray(from * 188, (from + packets) * 188));
    for (const [at, value] of damages) if (at % 188 !== 0 && at < chunk.length) chunk[at] = value;
    for (const part of splicer.push([chunk])) expect(part.length % 188).toBe(0);
    for (const { at } of splicer.joins) expect(at % 188).toBe(0);
  }
});
