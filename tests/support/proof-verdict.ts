import { expect } from 'vitest';
import { Tables } from '../../scripts/faultd.d/watch/tables.ts';
import { checkTs, type TsFault } from '../../scripts/faultd.d/ts-check.ts';
import { PACKET_BYTES, packetsOf } from '../../scripts/faultd.d/ts-tools.ts';
import { decodeFrames, type TrackFrames } from './decoded-frames.ts';
import type { SourcePair } from './proof-pairs.ts';
import type { Watched } from './proof-run.ts';
import { wholeUnitsOf } from './splice-check.ts';

/**
 * What a multiplexer waits to fill an audio packet, and what it sends audio ahead of pictures: at
 * 96 kbit/s ffmpeg's do both by a quarter of a second.
 */
const MAX_AUDIO_GAP_S = 0.65;
/** Of three legs, at least. */
const LEAST_MEDIA_S = 3;
const LEAST_LAST_LEG_S = 0.1;

/** Nobody sees a switch: no counter, no clock, no decoder. */
export async function expectNoSeam({ body }: Watched, pair: SourcePair): Promise<void> {
  const whole = wholeUnitsOf(body);
  const { counterErrors, stepsBack, leaps, announced } = checkTs(whole);
  expect({ counterErrors: ofTracks(counterErrors), stepsBack, leaps, announced }).toEqual({
    counterErrors: [],
    stepsBack: [],
    leaps: [],
    announced: 0,
  });
  const { complaints, tracks } = await decodeFrames(whole);
  expect(complaints).toBe('');
  expect(tracks.length).toBeGreaterThan(0);
  for (const track of tracks) expectSteady(track, pair);
}

/** Layouts differ: one timeline, and the last leg is seen and heard without an error. */
export async function expectOneTimeline({ body, lastLegAt }: Watched): Promise<void> {
  const whole = wholeUnitsOf(body);
  const { counterErrors, stepsBack } = checkTs(whole);
  expect({ counterErrors: ofTracks(counterErrors), stepsBack }).toEqual({
    counterErrors: [],
    stepsBack: [],
  });
  await expectCleanEnd(whole, lastLegAt);
}

/** Players were sent damage that is the source's own: time goes on, and the last leg is clean. */
export async function expectRecovery({ body, lastLegAt }: Watched): Promise<void> {
  const whole = wholeUnitsOf(body);
  expect(checkTs(whole).stepsBack).toEqual([]);
  await expectCleanEnd(whole, lastLegAt);
}

async function expectCleanEnd(whole: Buffer, lastLegAt: number): Promise<void> {
  const { complaints, tracks } = await decodeFrames(whole.subarray(lastStart(whole, lastLegAt)));
  expect(complaints).toBe('');
  for (const { lastS, firstS } of tracks) expect(lastS - firstS).toBeGreaterThan(LEAST_LAST_LEG_S);
}

/**
 * Tables that a source sends before its first picture have passed when it proves to be another:
 * their counters show it, and nobody minds.
 */
const ofTracks = (faults: readonly TsFault[]): readonly TsFault[] =>
  faults.filter(({ pid }) => !TABLE_PIDS.has(pid));
/** PAT, SDT, and ffmpeg's PMT. */
const TABLE_PIDS: ReadonlySet<number> = new Set([0, 0x11, 0x1000]);

function expectSteady({ kind, count, firstS, lastS, ...steps }: TrackFrames, pair: SourcePair) {
  const slowest = Math.min(pair.one.fps, pair.other.fps);
  const reordered = Math.max(pair.one.bFrames, pair.other.bFrames);
  const mostS = kind === 'audio' ? MAX_AUDIO_GAP_S : (2.5 + 2 * reordered) / slowest;
  expect({ kind, ...steps }).toEqual({ kind, stepsBack: 0, maxStepS: expect.any(Number) });
  expect(steps.maxStepS, `the longest gap of ${kind}`).toBeLessThan(mostS);
  expect(lastS - firstS, `${count} frames of ${kind}`).toBeGreaterThan(LEAST_MEDIA_S);
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
