import { PAT_PID } from './packet.ts';
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

const FIRST_FREE_PID = 0x100;
const LAST_PID = 0x1ffe;

/**
 * Decides what the output looks like when a source takes over. Tracks of a kind are matched in
 * order; where all video and audio codecs match, the output's tables stay. Otherwise the PMT gets
 * the next version, and each track whose codec was there before keeps its PID. PAT and the PMT's
 * PID stay in either case. Tracks that are neither video, audio nor subtitles go no further.
 */
export function planLayout(current: ProgramTables | undefined, source: ProgramTables): LayoutPlan {
  if (current === undefined) return { layout: source, pids: asTheyAre(source), isSame: false };
  const isSame = codecsOf(current.program) === codecsOf(source.program);
  const pids = matchPids(current.program, source.program);
  if (isSame) return { layout: current, pids, isSame };
  return { ...nextLayout(current, source.program, pids), isSame };
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
  matched: ReadonlyMap<number, number>,
): { layout: ProgramTables; pids: Map<number, number> } {
  const { programNumber, pmtPid, version } = current.program;
  const pids = new Map(matched);
  // A PID that meant another codec a moment ago is not used for something else.
  const taken = new Set([PAT_PID, pmtPid, current.program.pcrPid, ...pids.values()]);
  for (const { pid } of current.program.tracks) taken.add(pid);
  const place = (pid: number): number => {
    const free = taken.has(pid) ? firstFree(taken) : pid;
    taken.add(free);
    return free;
  };
  for (const { pid } of carried(source)) if (!pids.has(pid)) pids.set(pid, place(pid));
  const program: Program = {
    programNumber,
    pmtPid,
    version: (version + 1) & 0x1f,
    pcrPid: pids.get(source.pcrPid) ?? pids.get(mainTrackOf(source)?.pid ?? -1) ?? LAST_PID,
    descriptors: source.descriptors,
    tracks: carried(source).map((track) => ({ ...track, pid: pids.get(track.pid) ?? track.pid })),
  };
  return { layout: { program, pat: current.pat, pmt: pmtSection(program) }, pids };
}

function firstFree(taken: ReadonlySet<number>): number {
  for (let pid = FIRST_FREE_PID; pid < LAST_PID; pid += 1) if (!taken.has(pid)) return pid;
  return LAST_PID;
}
