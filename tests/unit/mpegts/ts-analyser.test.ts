import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TsAnalyser } from '#mpegts';
import { patSection, pmtSection } from '../../../services/mpegts/tables.ts';
import {
  AUDIO_PID,
  H264_KEY,
  H264_PLAIN,
  PMT_PID,
  PROGRAM,
  TsBuilder,
  VIDEO_PID,
  packet,
  pes,
  simpleStream,
} from '../../support/ts-build.ts';

function analysed(...parts: readonly Buffer[]): TsAnalyser {
  const analyser = new TsAnalyser();
  analyser.push(parts);
  return analyser;
}

const clock = (pcr90k: number): Buffer => packet({ pid: VIDEO_PID, pcr90k });

describe('what is known of a source', () => {
  it('has its program, tracks and clock', () => {
    const { facts } = analysed(simpleStream());
    expect(facts.program).toEqual(PROGRAM);
    expect(facts.tracks.map(({ pid, codec }) => [pid, codec])).toEqual([
      [VIDEO_PID, 'h264'],
      [AUDIO_PID, 'aac'],
    ]);
    expect(facts).toMatchObject({ counterErrors: 0, keyframes: 4, scrambledPackets: 0 });
    expect(facts.pcr27m).toBe((90_000 + 19 * 3600 - 9000) * 300);
  });

  it('says when each track and the clock were last heard of', () => {
    const analyser = new TsAnalyser();
    const stream = simpleStream();
    analyser.push([stream], 1000);
    analyser.push([packet({ pid: AUDIO_PID, counter: 4, payload: Buffer.alloc(184) })], 2000);
    const lastSeen = analyser.facts.tracks.map(({ lastSeenMs }) => lastSeenMs);
    expect(lastSeen).toEqual([1000, 2000]);
    expect(analyser.facts.pcrAdvancedMs).toBe(1000);
  });

  it('does not take a clock that stands for one that goes', () => {
    const analyser = analysed(simpleStream());
    analyser.push([clock(90_000 + 19 * 3600 - 9000)], 5000);
    expect(analyser.facts.pcrAdvancedMs).toBe(0);
    analyser.push([packet({ pid: VIDEO_PID, pcr90k: 90_000 + 20 * 3600 })], 6000);
    expect(analyser.facts.pcrAdvancedMs).toBe(6000);
  });

  it('counts how often the clock goes back, and says how far; its wrap is none', () => {
    const analyser = analysed(simpleStream());
    analyser.push([clock(2 ** 33 - 1000), clock(2000)]);
    expect(analyser.facts).toMatchObject({ pcrStepsBack: 1 });
    analyser.push([clock(900_000), clock(450_000), clock(460_000)]);
    expect(analyser.facts).toMatchObject({ pcrStepsBack: 2, lastStepBack27m: 450_000 * 300 });
  });

  it('counts the packets with errors, of its program only', () => {
    const payload = Buffer.alloc(184);
    const video = (counter: number, more = {}): Buffer =>
      packet({ pid: VIDEO_PID, counter, payload, ...more });
    const start = new TsBuilder().tables().bytes;
    const count = (...packets: Buffer[]): number => analysed(start, ...packets).facts.counterErrors;
    expect(count(video(1), video(2), video(3))).toBe(0);
    expect(count(video(1), video(3))).toBe(1);
    // One packet may be sent twice, not three times.
    expect(count(video(1), video(1), video(2))).toBe(0);
    expect(count(video(1), video(1), video(1))).toBe(1);
    expect(count(video(1), video(9, { discontinuity: true, payload: payload.subarray(2) }))).toBe(
      0,
    );
    expect(count(video(15), video(0))).toBe(0);
    expect(
      count(
        packet({ pid: 0x555, counter: 1, payload }),
        packet({ pid: 0x555, counter: 9, payload }),
      ),
    ).toBe(0);
    const { facts } = analysed(start, video(1, { damaged: true }), video(2, { scrambled: true }));
    expect(facts).toMatchObject({ transportErrors: 1, scrambledPackets: 1 });
  });

  it('does not count packets without payload', () => {
    const payload = Buffer.alloc(184);
    const start = new TsBuilder().tables().bytes;
    const { facts } = analysed(
      start,
      packet({ pid: VIDEO_PID, counter: 3, payload }),
      packet({ pid: VIDEO_PID, counter: 3, pcr90k: 5 }),
      packet({ pid: VIDEO_PID, counter: 4, payload }),
    );
    expect(facts.counterErrors).toBe(0);
  });
});

describe('keyframes', () => {
  it('are found where the sender does not mark them', () => {
    const marked = analysed(simpleStream({ marks: true }));
    const unmarked = analysed(simpleStream({ marks: false }));
    expect(unmarked.keyframeStarts).toEqual(marked.keyframeStarts);
    expect(unmarked.keyframeStarts).toHaveLength(4);
  });

  it('begin with the packet that starts their PES packet, though proved later', () => {
    const late = Buffer.concat([Buffer.alloc(400, 1), H264_KEY]);
    const builder = new TsBuilder().tables().unit(VIDEO_PID, pes({ pts90k: 1, data: late }));
    const analyser = analysed(builder.bytes.subarray(0, 188 * 3));
    expect(analyser.keyframeStarts).toEqual([]);
    analyser.push([builder.bytes.subarray(188 * 3)]);
    expect(analyser.keyframeStarts).toEqual([-1]);
  });

  it('are all audio packets where there is no picture', () => {
    const audio = PROGRAM.tracks.slice(1);
    const builder = new TsBuilder().tables({ ...PROGRAM, tracks: audio, pcrPid: AUDIO_PID });
    for (let n = 0; n < 3; n += 1) {
      builder.unit(AUDIO_PID, pes({ pts90k: n, data: Buffer.alloc(300), streamId: 0xc0 }));
    }
    expect(analysed(builder.bytes).keyframeStarts).toEqual([2, 4, 6]);
  });
});

describe('tables', () => {
  it('are read across packets', () => {
    const tracks = Array.from({ length: 60 }, (_, n) => ({
      ...PROGRAM.tracks[1]!,
      pid: 0x200 + n,
    }));
    const many = { ...PROGRAM, tracks: [...PROGRAM.tracks, ...tracks] };
    expect(analysed(new TsBuilder().tables(many).bytes).facts.program).toEqual(many);
  });

  it('are not believed when their checksum is wrong', () => {
    const bytes = new TsBuilder().tables().bytes;
    bytes[188 + 5 + 8] = (bytes[188 + 5 + 8] ?? 0) ^ 1;
    expect(analysed(bytes).facts.program).toBeUndefined();
  });

  it('of a multiplex give the first program with video', () => {
    const radio = { ...PROGRAM, programNumber: 1, pmtPid: 0x40, tracks: PROGRAM.tracks.slice(1) };
    const film = { ...PROGRAM, programNumber: 2, pmtPid: 0x41 };
    const pat = Buffer.concat([patSection(1, 0x40)]);
    const entries = Buffer.from([0, 1, 0xe0, 0x40, 0, 2, 0xe0, 0x41]);
    const both = sectionWith(pat, entries);
    const builder = new TsBuilder()
      .section(0, both)
      .section(0x40, pmtSection(radio))
      .section(0x41, pmtSection(film));
    expect(analysed(builder.bytes).facts.program?.programNumber).toBe(2);
  });

  it('may change, and what is known of a track that stays is kept', () => {
    const analyser = analysed(simpleStream());
    const next = { ...PROGRAM, version: 1, tracks: PROGRAM.tracks.slice(0, 1) };
    const builder = new TsBuilder().section(PMT_PID, pmtSection(next));
    analyser.push([builder.bytes]);
    expect(analyser.facts.program?.version).toBe(1);
    expect(analyser.facts.tracks).toHaveLength(1);
    expect(analyser.facts.tracks[0]?.packets).toBeGreaterThan(40);
  });
});

/** A PAT with these entries. */
function sectionWith(pat: Buffer, entries: Buffer): Buffer {
  const padded = Buffer.concat([pat.subarray(0, 8), entries, Buffer.alloc(4)]);
  padded.writeUInt16BE(0xb000 | (padded.length - 3), 1);
  padded.writeUInt32BE(mpegCrc(padded.subarray(0, -4)), padded.length - 4);
  return padded;
}

/** CRC-32/MPEG-2, bit by bit: another way to the same number. */
function mpegCrc(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc = (crc ^ (byte << 24)) >>> 0;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = crc >= 0x80000000 ? ((crc << 1) ^ 0x04c11db7) >>> 0 : (crc << 1) >>> 0;
    }
  }
  return crc;
}

describe('whatever comes', () => {
  const stream = simpleStream({ pictures: 12 });

  it('is read without an error', () => {
    const bytes = fc.uint8Array({ minLength: 188, maxLength: 188 * 12 });
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 8 }), (chunks) => {
        const analyser = new TsAnalyser();
        for (const chunk of chunks) analyser.push([Buffer.from(chunk)]);
        expect(analyser.facts.tracks.length).toBeLessThanOrEqual(128);
      }),
    );
  });

  it('may be damaged anywhere', () => {
    const damage = fc.tuple(fc.nat(stream.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 60 }), (damages) => {
        const copy = Buffer.from(stream);
        for (const [at, value] of damages) copy[at] = value;
        const { facts } = analysed(copy, H264_PLAIN, copy);
        expect(facts.tracks.length).toBeLessThanOrEqual(128);
      }),
    );
  });
});
