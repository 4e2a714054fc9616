import { NULL_PID, PAT_PID } from './packet.ts';
import { mainTrackOf } from './program.ts';
import type { Program, Track } from './program.ts';
import type { ProgramTables } from './program-watch.ts';
import { pmtSection } from './tables.ts';

/** How a source's PIDs become the output's. */
export type LayoutPlan = {
  /** The output's tables from here on. */
  readonly layout: ProgramTables;
  /** Source PID to output PID, for each track that goes on. */
  readonly pids: ReadonlyMap<number, number>;
  /** Codecs and tracks are what they were: decoders notice nothing. */
  readonly isSame: boolean;
};

/** What each PID of the output has meant so far. */
export type PidMeanings = ReadonlyMap<number, Track['codec']>;

const FIRST_FREE_PID = 0x100;
const LAST_PID = 0x1ffe;

/**
 * Decides what the output looks like when a source takes over. Tracks of a kind are matched in
 * order; where all video and audio codecs match, the output's tables stay. Otherwise the PMT gets
 * the next version, and each track whose codec was there before, however long ago, keeps its PID:
 * players that still have a decoder for it go on with that. PAT, the PMT's PID and the clock's stay
 * in either case: GStreamer goes on with tracks that come and go, and not where the clock moves.
 * Tracks that are neither video, audio nor subtitles go no further.
 */
export function planLayout(
  current: ProgramTables | undefined,
  source: ProgramTables,
  meanings: PidMeanings,
): LayoutPlan {
  if (current === undefined) return { layout: source, pids: asTheyAre(source), isSame: false };
  const isSame = codecsOf(current.program) === codecsOf(source.program);
  const pids = matchPids(current.program, source.program);
  if (isSame) return { layout: current, pids, isSame };
  return { ...nextLayout(current, source.program, { matched: pids, meanings }), isSame };
}

const asTheyAre = ({ program }: ProgramTables): Map<number, number> =>
  new Map(carried(program).map(({ pid }) => [pid, pid]));

const carried = ({ tracks }: Program): readonly Track[] =>
  tracks.filter(({ kind }) => kind !== 'other');

const codecsOf = ({ tracks }: Program): string =>
  (['video', 'audio'] as const)
    .flatMap((kind) => tracks.filter((track) => track.kind === kind))
    .map(({ codec }) => codec)
    .join(' ');

/** Each source track takes the first output track of its codec that no other has taken. */
function matchPids(current: Program, source: Program): Map<number, number> {
  const pids = new Map<number, number>();
  const free = [...carried(current)];
  for (const { pid, codec } of carried(source)) {
    const index = free.findIndex((track) => track.codec === codec);
    const [match] = index < 0 ? [] : free.splice(index, 1);
    if (match !== undefined) pids.set(pid, match.pid);
  }
  return pids;
}

function nextLayout(
  current: ProgramTables,
  source: Program,
  { matched, meanings }: { matched: ReadonlyMap<number, number>; meanings: PidMeanings },
): { layout: ProgramTables; pids: Map<number, number> } {
  const { programNumber, pmtPid, pcrPid, version } = current.program;
  const hasClock = pcrPid !== NULL_PID;
  const pids = new Map(matched);
  const taken = new Set([PAT_PID, pmtPid, ...pids.values()]);
  for (const { pid } of current.program.tracks) taken.add(pid);
  for (const track of carried(source)) {
    if (pids.has(track.pid)) continue;
    const pid = place(track, { taken, meanings, pcrPid });
    taken.add(pid);
    pids.set(track.pid, pid);
  }
  const program: Program = {
    programNumber,
    pmtPid,
    version: (version + 1) & 0x1f,
    pcrPid: hasClock ? pcrPid : clockOf(source, pids),
    descriptors: source.descriptors,
    tracks: carried(source).map((track) => ({ ...track, pid: pids.get(track.pid) ?? track.pid })),
  };
  return { layout: { program, pat: current.pat, pmt: pmtSection(program) }, pids };
}

const clockOf = (source: Program, pids: ReadonlyMap<number, number>): number =>
  pids.get(source.pcrPid) ?? pids.get(mainTrackOf(source)?.pid ?? -1) ?? LAST_PID;

type Places = {
  readonly taken: ReadonlySet<number>;
  readonly meanings: PidMeanings;
  /** Of the clock, which stays where it is; the codec that had this PID may have it again. */
  readonly pcrPid: number;
};

/** A PID that has meant this codec; else the track's own, or a free one, that has meant nothing. */
function place({ pid, codec }: Track, { taken, meanings, pcrPid }: Places): number {
  const isFree = (other: number): boolean => !taken.has(other);
  if (isFree(pid) && meanings.get(pid) === codec) return pid;
  for (const [known, meaning] of meanings) if (meaning === codec && isFree(known)) return known;
  const isNew = (other: number): boolean =>
    isFree(other) && !meanings.has(other) && other !== pcrPid;
  return isNew(pid) ? pid : (firstPid(isNew) ?? firstPid(isFree) ?? LAST_PID);
}

function firstPid(fits: (pid: number) => boolean): number | undefined {
  for (let pid = FIRST_FREE_PID; pid < LAST_PID; pid += 1) if (fits(pid)) return pid;
  return undefined;
}

/** Tracks, codecs and clock are where they were; descriptors may differ. */
export const isSameToViewers = (one: Program, other: Program | undefined): boolean =>
  other !== undefined && essence(one) === essence(other);

const essence = ({ pmtPid, pcrPid, tracks }: Program): string =>
  JSON.stringify([pmtPid, pcrPid, tracks.map(({ pid, codec }) => [pid, codec])]);
