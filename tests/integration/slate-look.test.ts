import { describe, expect, it } from 'vitest';
import { SlateLibrary } from '#delivery';
import { silentLogger } from '#kernel/logger';
import { Splicer } from '#mpegts';
import type { Look } from '#mpegts';
import { checkTs } from '../../scripts/faultd.d/ts-check.ts';
import { decodeFrames } from '../support/decoded-frames.ts';
import { decode } from '../support/players.ts';
import { eventually } from '../support/processes.ts';
import { builtInSlate } from '../support/slates.ts';
import { wholeUnitsOf } from '../support/splice-check.ts';
import { spliceSource, type SourceSpec } from '../support/splice-media.ts';

/** Streams of all kinds, with a slate in the middle: decoders go on as they were. */
const STREAMS: readonly (readonly [name: string, spec: SourceSpec])[] = [
  ['H.264 and AAC at 48 kHz', {}],
  ['H.264 and AAC at 44.1 kHz', { samplesPerSecond: 44_100 }],
  ['H.264 with B pictures and AC-3', { audio: ['ac3'], bFrames: 2 }],
  ['H.264 and MP2 at 44.1 kHz', { audio: ['mp2'], samplesPerSecond: 44_100 }],
  ['MPEG-2 and MP2', { video: 'mpeg2', audio: ['mp2'] }],
  ['HEVC and AAC at 44.1 kHz', { video: 'hevc', samplesPerSecond: 44_100, bFrames: 2 }],
  ['H.264, AAC and AC-3', { audio: ['aac', 'ac3'] }],
  ['H.264 without sound', { audio: [] }],
  ['AAC alone, at 44.1 kHz', { video: 'none', samplesPerSecond: 44_100 }],
  ['AC-3 alone', { video: 'none', audio: ['ac3'] }],
  ['MP2 alone', { video: 'none', audio: ['mp2'] }],
];

/** A slate that takes over after some seconds, twice through, and gives way to the source again. */
async function interrupted(spec: SourceSpec): Promise<Buffer> {
  const source = await spliceSource({ ...spec, seconds: 6, firstPid: 0x200, clockS: 700 });
  const cutAt = Math.floor((source.length * 0.55) / 188) * 188;
  const splicer = new Splicer();
  const out: Buffer[] = [];
  const take = (parts: readonly Buffer[]): void => {
    for (const part of parts) out.push(Buffer.from(part));
  };
  take(splicer.push([source.subarray(0, cutAt)]));
  const clip = await slateFor(splicer.look);
  for (const packets of [clip, clip, source.subarray(cutAt)]) {
    take(splicer.switchSource());
    take(splicer.push([packets]));
  }
  return wholeUnitsOf(Buffer.concat(out));
}

/** What the library shows those who have seen such a stream. */
async function slateFor(look: Look | undefined): Promise<Buffer> {
  const library = new SlateLibrary({ maker: { make: builtInSlate }, logger: silentLogger });
  await library.load(new AbortController().signal);
  if (look !== undefined) library.prepare(look);
  const find = () => library.find('channel_unavailable', look)?.packets;
  const plain = library.find('channel_unavailable')?.packets;
  const isPlain =
    JSON.stringify(look) === '{"video":"h264","audio":[{"codec":"aac","samplesPerSecond":48000}]}';
  await eventually('the slate is made', () => isPlain || find() !== plain);
  return find() ?? Buffer.alloc(0);
}

describe.concurrent('a slate in the middle of a stream', () => {
  it.for(STREAMS)('leaves no mark: %s', { timeout: 30_000 }, async ([, spec]) => {
    const out = await interrupted(spec);
    const { counterErrors, stepsBack, leaps, announced } = checkTs(out);
    expect({ counterErrors, stepsBack, leaps, announced }).toEqual({
      counterErrors: [],
      stepsBack: [],
      leaps: [],
      announced: 0,
    });
    const { complaints, tracks } = await decodeFrames(out);
    expect(complaints).toBe('');
    for (const { stepsBack: back, firstS, lastS } of tracks) {
      expect(back).toBe(0);
      expect(lastS - firstS).toBeGreaterThan(17);
    }
    // As it is played, at one rate: no time that is counted in another.
    expect((await decode(out)).complaints).toEqual([]);
  });
});
