import { TICKS_PER_SECOND, ahead90k, readPacket, TsAnalyser, type Codec } from '#mpegts';
import { audioFrameAt, samples90k } from '../../services/mpegts/audio-frames.ts';
import { PACKET_BYTES, packetsOf } from '../../scripts/faultd.d/ts-tools.ts';

/** The largest silence and the longest still picture between two bytes of a capture, in seconds. */
export type SeamGaps = { readonly audioS: number; readonly videoS: number };

type Unit = { readonly pts90k: number; readonly at: number; readonly data: Buffer };

/**
 * How long nothing new is heard or shown: from the end of one audio frame to the beginning of the
 * next, and beyond the usual step from picture to picture.
 */
export function seamGaps(capture: Buffer): SeamGaps {
  const analyser = new TsAnalyser();
  analyser.push([capture]);
  const tracks = analyser.facts.program?.tracks ?? [];
  const gapOf = (kind: string, gaps: (units: readonly Unit[], codec: Codec) => number) =>
    Math.max(
      0,
      ...tracks
        .filter((track) => track.kind === kind)
        .map(({ pid, codec }) => gaps(unitsOf(capture, pid), codec)),
    ) / TICKS_PER_SECOND;
  return { audioS: gapOf('audio', silence90k), videoS: gapOf('video', stillness90k) };
}

/** The PES packets of a PID; the last, which may not be whole, is left out. */
export function unitsOf(capture: Buffer, pid: number, keepsLast = false): readonly Unit[] {
  const units: { pts90k: number; at: number; parts: Buffer[] }[] = [];
  for (const packet of packetsOf(capture)) {
    if (packet.pid !== pid || !packet.hasPayload) continue;
    const { at, startsUnit } = packet;
    const hasField = ((capture[at + 3] ?? 0) & 0x20) !== 0;
    const from = at + (hasField ? 5 + (capture[at + 4] ?? 0) : 4);
    if (startsUnit) units.push({ at, pts90k: readPacket(capture, at).pts90k, parts: [] });
    const payloadAt = startsUnit ? from + 9 + (capture[from + 8] ?? 0) : from;
    units.at(-1)?.parts.push(capture.subarray(payloadAt, at + PACKET_BYTES));
  }
  return units
    .slice(0, keepsLast ? undefined : -1)
    .filter(({ pts90k }) => pts90k >= 0)
    .map(({ parts, ...unit }) => ({ ...unit, data: Buffer.concat(parts) }));
}

function silence90k(units: readonly Unit[], codec: Codec): number {
  let longest = 0;
  let end90k: number | undefined;
  for (const { pts90k, data } of units) {
    if (end90k !== undefined) longest = Math.max(longest, ahead90k(pts90k, end90k));
    end90k = pts90k + lengthOf(data, codec);
  }
  return longest;
}

/** Of all whole frames in these bytes, in ticks. */
export function lengthOf(data: Buffer, codec: Codec): number {
  let at = 0;
  let samples = 0;
  let rate = 1;
  while (at + 8 <= data.length) {
    const frame = audioFrameAt(codec, data, at);
    if (frame === undefined || at + frame.sizeBytes > data.length) break;
    samples += frame.samples;
    rate = frame.samplesPerSecond;
    at += frame.sizeBytes;
  }
  return samples90k(samples, rate);
}

function stillness90k(units: readonly Unit[]): number {
  const first = units[0]?.pts90k ?? 0;
  const times = units.map(({ pts90k }) => ahead90k(pts90k, first)).toSorted((a, b) => a - b);
  const steps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  const usual = steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
  return Math.max(0, ...steps) - usual;
}
