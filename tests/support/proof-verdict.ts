import { Tables } from '../../scripts/faultd.d/watch/tables.ts';
import { checkTs, type TsFault } from '../../scripts/faultd.d/ts-check.ts';
import { PACKET_BYTES, packetsOf } from '../../scripts/faultd.d/ts-tools.ts';
import { decodeFrames, type TrackFrames } from './decoded-frames.ts';
import type { SourcePair } from './proof-pairs.ts';
import type { Watched } from './proof-run.ts';
import { wholeUnitsOf } from './splice-check.ts';

/**
 * What a multiplexer waits to fill an audio packet: at 96 kbit/s ffmpeg's do for a quarter of a
 * second, in the source that ends, and as long again in one that begins with its keyframe.
 */
const MAX_AUDIO_GAP_S = 0.45;
/** Of three legs, at least. */
const LEAST_MEDIA_S = 3;
const LEAST_LAST_LEG_S = 0.1;

/** What a switch has left in it where nobody may see one: in counters, in times, for a decoder. */
export async function seamsIn({ body }: Watched, pair: SourcePair): Promise<readonly string[]> {
  const whole = wholeUnitsOf(body);
  const { counterErrors, stepsBack, leaps, announced } = checkTs(whole);
  const { complaints, tracks } = await decodeFrames(whole);
  return [
    ...told('a counter not due', counterErrors),
    ...told('a step back', stepsBack),
    ...told('a leap', leaps),
    ...(announced === 0 ? [] : [`${announced} discontinuities announced`]),
    ...linesOf(complaints),
    ...(tracks.length === 0 ? ['nothing to decode'] : []),
    ...tracks.flatMap((track) => unsteadiness(track, pair)),
  ];
}

/** Where layouts differ: what is wrong with the one timeline, and with what comes last. */
export async function breaksIn({ body, lastLegAt }: Watched): Promise<readonly string[]> {
  const whole = wholeUnitsOf(body);
  const { counterErrors, stepsBack } = checkTs(whole);
  return [
    ...told('a counter not due', counterErrors),
    ...told('a step back', stepsBack),
    ...(await faultsAtEnd(whole, lastLegAt)),
  ];
}

/** Where the source did damage of its own: what is wrong with times, and with what comes behind it. */
export async function scarsIn({ body, lastLegAt }: Watched): Promise<readonly string[]> {
  const whole = wholeUnitsOf(body);
  const { stepsBack } = checkTs(whole);
  return [...told('a step back', stepsBack), ...(await faultsAtEnd(whole, lastLegAt))];
}

async function faultsAtEnd(whole: Buffer, lastLegAt: number): Promise<readonly string[]> {
  const { complaints, tracks } = await decodeFrames(whole.subarray(lastStart(whole, lastLegAt)));
  const short = tracks.filter(({ lastS, firstS }) => lastS - firstS < LEAST_LAST_LEG_S);
  return [
    ...linesOf(complaints),
    ...(tracks.length === 0 ? ['nothing to decode at the end'] : []),
    ...short.map(({ kind, count }) => `only ${count} frames of ${kind} at the end`),
  ];
}

const told = (what: string, faults: readonly TsFault[]): readonly string[] =>
  faults.map(({ at, pid, was, is }) => `${what}: PID ${pid}, byte ${at}, ${was} to ${is}`);

const linesOf = (complaints: string): readonly string[] =>
  complaints.split('\n').filter((line) => line !== '');

function unsteadiness(track: TrackFrames, { one, other }: SourcePair): readonly string[] {
  const { kind, count, firstS, lastS, stepsBack, maxStepS } = track;
  const slowest = Math.min(one.fps, other.fps);
  const reordered = Math.max(one.bFrames, other.bFrames);
  const mostS = kind === 'audio' ? MAX_AUDIO_GAP_S : (2.5 + 2 * reordered) / slowest;
  return [
    ...(stepsBack > 0 ? [`${stepsBack} frames of ${kind} step back`] : []),
    ...(maxStepS > mostS ? [`${kind} pauses for ${maxStepS.toFixed(3)} s`] : []),
    ...(lastS - firstS < LEAST_MEDIA_S ? [`only ${count} frames of ${kind}`] : []),
  ];
}

/** The tables with which a player can begin: behind the last change of layout, and `from`. */
function lastStart(bytes: Buffer, from: number): number {
  const tables = new Tables();
  const found = { main: -1, pat: 0, start: 0, isOpen: true };
  for (const packet of packetsOf(bytes)) {
    const { at, pid, startsUnit, randomAccess } = packet;
    if (pid === 0) found.pat = at;
    const seen = tables.see(bytes.subarray(at, at + PACKET_BYTES), packet);
    if (seen?.table === 'pmt') Object.assign(found, { main: mainPid(seen.content), isOpen: true });
    const isKeyframe = pid === found.main && startsUnit && randomAccess;
    if (!found.isOpen || at < from || !isKeyframe) continue;
    found.isOpen = false;
    found.start = found.pat;
  }
  return found.start;
}

/** ISO/IEC 13818-1, table 2-34: MPEG-2, H.264 and HEVC. */
const PICTURES = /:0x(?:02|2|1b|24)$/;

/** Of tracks such as `256:0x1b`: the first with pictures, else the first. */
function mainPid(tracks: readonly string[]): number {
  const main = tracks.find((track) => PICTURES.test(track)) ?? tracks[0] ?? '';
  return Number(main.split(':')[0]);
}
