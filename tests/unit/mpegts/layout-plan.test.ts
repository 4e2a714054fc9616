import { describe, expect, it } from 'vitest';
import { planLayout as planWith, type PidMeanings } from '../../../services/mpegts/layout-plan.ts';
import { parsePmt, type Program, type Track } from '../../../services/mpegts/program.ts';
import { patSection, pmtSection } from '../../../services/mpegts/tables.ts';
import { codingOf } from '../../../services/mpegts/codec.ts';

const H264 = 0x1b;
const HEVC = 0x24;
const AAC = 0x0f;
const AC3 = 0x81;
const SCTE35 = 0x86;

const NO_DESCRIPTORS = Buffer.alloc(0);
const track = ([streamType, pid]: readonly [number, number]): Track => ({
  pid,
  streamType,
  descriptors: NO_DESCRIPTORS,
  ...codingOf(streamType, NO_DESCRIPTORS),
});

function tables(pmtPid: number, tracks: readonly (readonly [number, number])[]) {
  const program: Program = {
    programNumber: 7,
    pmtPid,
    version: 31,
    pcrPid: tracks[0]?.[1] ?? 0x1fff,
    descriptors: NO_DESCRIPTORS,
    tracks: tracks.map(track),
  };
  return { program, pat: patSection(7, pmtPid), pmt: pmtSection(program) };
}

const PLAIN = tables(0x1000, [
  [H264, 0x100],
  [AAC, 0x101],
]);

type Tables = ReturnType<typeof tables>;
const NOTHING_ELSE: PidMeanings = new Map();
const planLayout = (current: Tables | undefined, source: Tables, meanings = NOTHING_ELSE) =>
  planWith(current, source, meanings);

describe('the layout when a source takes over', () => {
  it('is the source’s own where nothing was sent before', () => {
    const plan = planLayout(undefined, PLAIN);
    expect(plan.layout).toBe(PLAIN);
    expect([...plan.pids]).toEqual([
      [0x100, 0x100],
      [0x101, 0x101],
    ]);
  });

  it('stays where codecs match, whatever the PIDs and the order of kinds', () => {
    const plan = planLayout(
      PLAIN,
      tables(0x50, [
        [AAC, 0x200],
        [H264, 0x201],
        [SCTE35, 0x202],
      ]),
    );
    expect(plan.isSame).toBe(true);
    expect(plan.layout).toBe(PLAIN);
    expect(plan.pids).toEqual(
      new Map([
        [0x200, 0x101],
        [0x201, 0x100],
      ]),
    );
  });

  it('gets the next version where a codec differs, and keeps the PIDs of the others', () => {
    const source = tables(0x50, [
      [H264, 0x200],
      [AC3, 0x101],
    ]);
    const { layout, isSame, pids } = planLayout(PLAIN, source);
    expect(isSame).toBe(false);
    expect(layout.pat).toBe(PLAIN.pat);
    expect(pids.get(0x200)).toBe(0x100);
    // A PID that was AAC a moment ago does not become AC-3.
    expect(pids.get(0x101)).not.toBe(0x101);
    expect(parsePmt(layout.pmt, 0x1000)).toEqual(layout.program);
    expect(layout.program).toMatchObject({ version: 0, pcrPid: 0x100, programNumber: 7 });
  });

  it('never uses one PID for two things', () => {
    const source = tables(0x50, [
      [HEVC, 0x1000],
      [AC3, 0x100],
      [AAC, 0x300],
      [AAC, 0x101],
    ]);
    const { layout } = planLayout(PLAIN, source);
    const used = [0, layout.program.pmtPid, ...layout.program.tracks.map(({ pid }) => pid)];
    expect(new Set(used).size).toBe(used.length);
    expect(layout.program.tracks).toHaveLength(4);
  });

  it('has its clock where it was, which nothing but the codec that was there may have', () => {
    const meanings = new Map(PLAIN.program.tracks.map(({ pid, codec }) => [pid, codec]));
    const newer = tables(0x50, [
      [HEVC, 0x100],
      [AAC, 0x101],
    ]);
    const first = planLayout(PLAIN, newer, meanings);
    expect(first.layout.program.pcrPid).toBe(0x100);
    expect(first.pids.get(0x100)).not.toBe(0x100);
    const back = planLayout({ ...PLAIN, program: first.layout.program }, PLAIN, meanings);
    expect(back.layout.program.pcrPid).toBe(0x100);
    expect(back.pids.get(0x100)).toBe(0x100);
  });

  it('has its clock with its pictures where there was none', () => {
    const { program } = tables(0x1000, [[AAC, 0x101]]);
    const current = { ...PLAIN, program: { ...program, pcrPid: 0x1fff } };
    expect(planLayout(current, PLAIN).layout.program.pcrPid).toBe(0x100);
  });

  it('differs where there is one track more, or one less', () => {
    const two = tables(0x50, [
      [H264, 0x100],
      [AAC, 0x101],
      [AAC, 0x102],
    ]);
    expect(planLayout(PLAIN, two).isSame).toBe(false);
    expect(planLayout(two, PLAIN).isSame).toBe(false);
  });

  it('gives a PID that has once meant a codec to no other, and back to that one', () => {
    const meanings = new Map(PLAIN.program.tracks.map(({ pid, codec }) => [pid, codec]));
    const other = tables(0x1000, [
      [HEVC, 0x102],
      [AC3, 0x103],
    ]);
    const source = tables(0x50, [
      [AAC, 0x100],
      [H264, 0x200],
      [AAC, 0x101],
    ]);
    expect(planLayout(other, source, meanings).pids).toEqual(
      new Map([
        [0x100, 0x101],
        [0x200, 0x100],
        [0x101, 0x104],
      ]),
    );
  });
});
