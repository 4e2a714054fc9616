import { describe, expect, it } from 'vitest';
import { Splicer, TsAnalyser } from '#mpegts';
import {
  AUDIO_PID,
  PMT_PID,
  PROGRAM,
  TsBuilder,
  VIDEO_PID,
  simpleStream,
} from '../../support/ts-build.ts';
import { checkTs } from '../../../scripts/faultd.d/ts-check.ts';
import { packetsOf } from '../../../scripts/faultd.d/ts-tools.ts';

const HOUR_90K = 3600 * 90_000;
const CARD_PIDS = { videoPid: 0x300, audioPid: 0x301 };

/** What one splicer makes of bytes that come over one connection. */
const spliced = (...bytes: readonly Buffer[]): Buffer =>
  Buffer.concat(new Splicer().push([Buffer.concat(bytes)]));

describe('a source that becomes another in the middle', () => {
  it.each([
    ['later', HOUR_90K],
    ['earlier', 0],
    ['by chance at the same times', 90_000 + 20 * 3600],
  ])('goes on with its pictures, %s and on other PIDs', (_name, firstPts90k) => {
    const out = spliced(simpleStream(), simpleStream({ ...CARD_PIDS, firstPts90k }));
    const report = checkTs(out);
    expect([...report.pids].toSorted((a, b) => a - b)).toEqual([0, VIDEO_PID, AUDIO_PID, PMT_PID]);
    expect(report).toMatchObject({ stepsBack: [], leaps: [], announced: 0, counterErrors: [] });
    const analyser = new TsAnalyser();
    analyser.push([out]);
    expect(analyser.facts.keyframes).toBe(8);
  });

  it('is seen also when its table has the very counter of the one before', () => {
    const out = spliced(simpleStream({ pictures: 5 }), simpleStream(CARD_PIDS));
    expect([...checkTs(out).pids]).not.toContain(CARD_PIDS.videoPid);
  });

  it('and steps back by less than a second goes on in one timeline', () => {
    const out = spliced(simpleStream(), simpleStream({ firstPts90k: 90_000 + 3600 }));
    const report = checkTs(out);
    expect(report).toMatchObject({ stepsBack: [], leaps: [], counterErrors: [] });
  });

  it('has tables whose counters go on, of whatever kind and length', () => {
    const parts = [HOUR_90K, 90_000, 7 * HOUR_90K].flatMap((firstPts90k) => [
      tables(5),
      simpleStream({ pictures: 10, firstPts90k }),
      tables(3),
    ]);
    const out = spliced(...parts);
    const report = checkTs(out);
    expect(report.counterErrors).toEqual([]);
    expect(report.pids).toContain(SDT_PID);
    expect([...sectionsOf(out, SDT_PID)].length).toBeGreaterThanOrEqual(8);
  });

  it('has tables whose counters go on also before any picture', () => {
    const out = spliced(tables(5), tables(3), simpleStream());
    expect(checkTs(out).counterErrors).toEqual([]);
  });

  it('does not tell viewers of a programme that they do not get', () => {
    const moved = { ...PROGRAM, pmtPid: 0x1100, programNumber: 7 };
    const other = new TsBuilder().tables(moved).bytes;
    const out = spliced(simpleStream(), other, other, simpleStream({ firstPts90k: HOUR_90K }));
    const pats = [...sectionsOf(out, 0)];
    expect(new Set(pats.map((section) => section.toString('hex'))).size).toBe(1);
    expect(checkTs(out)).toMatchObject({ counterErrors: [], leaps: [], announced: 0 });
  });
});

describe('a table of a source that goes on', () => {
  it('passes as the memory that came', () => {
    const source = Buffer.concat([tables(4), simpleStream()]);
    const [part, ...more] = new Splicer().push([source]);
    expect(part?.buffer).toBe(source.buffer);
    expect(more).toEqual([]);
  });

  it('may be sent twice, each packet with one counter', () => {
    const packets = [...packetsOf(tables(3))].map(({ at }) => tables(3).subarray(at, at + 188));
    const source = Buffer.concat(packets.flatMap((packet) => [packet, packet]));
    expect(spliced(source).equals(source)).toBe(true);
  });

  it('begins where the source says that it begins anew', () => {
    const table = { pid: SDT_PID, starts: true, payload: Buffer.alloc(180) };
    const anew = new TsBuilder().packet({ ...table, counter: 9, discontinuity: true });
    const source = Buffer.concat([tables(3), anew.packet({ ...table, counter: 10 }).bytes]);
    expect(spliced(source).equals(source)).toBe(true);
  });
});

const SDT_PID = 0x11;

/** A table of two packets, so often; what it says is of no matter. */
function tables(count: number): Buffer {
  const builder = new TsBuilder();
  for (let index = 0; index < count; index += 1) {
    builder.section(SDT_PID, Buffer.alloc(300, index + 1));
  }
  return builder.bytes;
}

function* sectionsOf(bytes: Buffer, pid: number): Generator<Buffer> {
  for (const packet of packetsOf(bytes)) {
    if (packet.pid !== pid || !packet.startsUnit) continue;
    yield bytes.subarray(packet.at + 4, packet.at + 188);
  }
}
