import { describe, expect, it } from 'vitest';
import { PACKET_BYTES, TsAnalyser } from '#mpegts';
import { SegmentCutter } from '../../../services/conversion/segment-cutter.ts';
import type { CutSegment } from '../../../services/conversion/segment-cutter.ts';
import { checkTs } from '../../../scripts/faultd.d/ts-check.ts';
import { TestClock } from '../../support/test-clock.ts';
import {
  AUDIO_PID,
  PROGRAM,
  TsBuilder,
  adtsFrame,
  pes,
  simpleStream,
} from '../../support/ts-build.ts';

const START_MS = Date.UTC(2026, 0, 1);

function cutting(over: { targetMs?: number; mostBytes?: number } = {}) {
  const segments: CutSegment[] = [];
  const clock = new TestClock(START_MS);
  const cutter = new SegmentCutter({
    targetMs: 1000,
    mostBytes: 1024 * 1024,
    ...over,
    clock,
    cut: (segment) => segments.push(segment),
  });
  return { cutter, segments };
}

/** Twenty-five pictures a second, a keyframe each second. */
const seconds = (count: number, from = 1): Buffer =>
  simpleStream({ pictures: 25 * count, gop: 25, firstPts90k: from * 90_000 });

const bytesOf = ({ bytes }: CutSegment): Buffer => bytes;

describe('a cutter', () => {
  it.each([188, 1316, 65_424, 1000])('cuts the same whatever the chunks: %d bytes', (size) => {
    const { cutter, segments } = cutting();
    const stream = seconds(6);
    for (let at = 0; at < stream.length; at += size) cutter.push(stream.subarray(at, at + size));
    expect(segments.map(({ durationMs }) => durationMs)).toEqual([1000, 1000, 1000, 1000, 1000]);
    for (const segment of segments) expect(segment).toMatchObject({ isIndependent: true });
    const joined = Buffer.concat(segments.map(bytesOf));
    expect(checkTs(joined)).toMatchObject({ counterErrors: [], stepsBack: [], leaps: [] });
  });

  it('begins each segment with the tables and a keyframe', () => {
    const { cutter, segments } = cutting();
    cutter.push(seconds(4));
    for (const segment of segments) {
      const bytes = bytesOf(segment);
      const pids = [0, 1, 2].map((at) => bytes.readUInt16BE(at * PACKET_BYTES + 1) & 0x1fff);
      expect(pids).toEqual([0, PROGRAM.pmtPid, PROGRAM.pcrPid]);
      const analyser = new TsAnalyser();
      analyser.push([bytes]);
      expect(analyser.keyframeStarts[0]).toBe(2);
    }
  });

  it('loses no packet between segments', () => {
    const { cutter, segments } = cutting();
    const stream = seconds(5);
    cutter.push(stream);
    const packets = segments.map(({ bytes }) => bytes.length / PACKET_BYTES - 2);
    // The last of five seconds is in no segment yet.
    const sent = (4 * stream.length) / PACKET_BYTES / 5;
    expect(packets.reduce((sum, count) => sum + count, 0)).toBe(sent);
  });

  it('says when each is due, by their times', () => {
    const { cutter, segments } = cutting();
    cutter.push(seconds(4));
    expect(segments.map(({ startsAtMs }) => startsAtMs - START_MS)).toEqual([0, 1000, 2000]);
  });

  it('knows no discontinuity where times and tracks go on', () => {
    const { cutter, segments } = cutting();
    cutter.push(seconds(3));
    expect(segments.map(({ startsAnew }) => startsAnew)).toEqual([false, false]);
  });

  it.each([
    ['back', 1],
    ['far ahead', 500],
  ])('begins anew where times leap %s', (_name, from) => {
    const { cutter, segments } = cutting();
    cutter.push(seconds(3, 100));
    cutter.push(seconds(3, from));
    expect(segments.map(({ startsAnew }) => startsAnew)).toEqual([
      false,
      false,
      false,
      true,
      false,
    ]);
    // The last picture's own duration is not known: it counts to its beginning.
    expect(segments[2]?.durationMs).toBe(960);
  });

  it('begins anew where the tracks are others', () => {
    const { cutter, segments } = cutting();
    cutter.push(seconds(2));
    const tracks = PROGRAM.tracks.map((track) =>
      track.pid === AUDIO_PID ? { ...track, streamType: 0x81 } : track,
    );
    cutter.push(new TsBuilder().tables({ ...PROGRAM, version: 1, tracks }).bytes);
    cutter.push(stripTables(seconds(3, 3)));
    expect(segments.map(({ startsAnew }) => startsAnew)).toEqual([false, false, true, false]);
  });

  it('does not wait for ever for a keyframe', () => {
    const { cutter, segments } = cutting();
    cutter.push(simpleStream({ pictures: 25 * 10, gop: 10_000 }));
    expect(segments).toMatchObject([{ isIndependent: true }, { isIndependent: false }]);
    expect(segments[0]?.durationMs).toBe(4000);
  });

  it('ends a segment that has grown too large', () => {
    const { cutter, segments } = cutting({ targetMs: 4000, mostBytes: 40_000 });
    cutter.push(seconds(8));
    for (const { bytes } of segments) expect(bytes.length).toBeLessThan(45_000);
    expect(segments.length).toBeGreaterThan(2);
  });

  it('cuts sound alone by time', () => {
    const { cutter, segments } = cutting();
    const tracks = PROGRAM.tracks.filter(({ kind }) => kind === 'audio');
    const builder = new TsBuilder().tables({ ...PROGRAM, pcrPid: AUDIO_PID, tracks });
    for (let index = 0; index < 200; index += 1) {
      const pts90k = 90_000 + index * 1920;
      const data = adtsFrame(200, index);
      const unit = pes({ pts90k, data, streamId: 0xc0, isSized: true });
      builder.unit(AUDIO_PID, unit, { pcr90k: pts90k - 9000 });
    }
    cutter.push(builder.bytes);
    expect(segments.length).toBeGreaterThan(3);
    for (const { durationMs } of segments.slice(2)) {
      expect(durationMs).toBeGreaterThan(890);
      expect(durationMs).toBeLessThan(1030);
    }
  });

  it('makes nothing of what is no transport stream', () => {
    const { cutter, segments } = cutting();
    cutter.push(Buffer.alloc(1_000_000, 1));
    expect(segments).toEqual([]);
  });
});

function stripTables(stream: Buffer): Buffer {
  const kept: Buffer[] = [];
  for (let at = 0; at < stream.length; at += PACKET_BYTES) {
    const pid = stream.readUInt16BE(at + 1) & 0x1fff;
    if (pid !== 0 && pid !== PROGRAM.pmtPid) kept.push(stream.subarray(at, at + PACKET_BYTES));
  }
  return Buffer.concat(kept);
}
