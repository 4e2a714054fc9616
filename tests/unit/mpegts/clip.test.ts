import { describe, expect, it } from 'vitest';
import { readClip } from '#mpegts';
import { checkTs } from '../../../scripts/faultd.d/ts-check.ts';
import {
  AUDIO_PID,
  H264_PLAIN,
  PROGRAM,
  TsBuilder,
  VIDEO_PID,
  adtsFrame,
  packet,
  pes,
  simpleStream,
} from '../../support/ts-build.ts';
import { clipOf, looped } from '../../support/clip.ts';
import { pesPackets } from '../../support/splice-check.ts';

describe('a clip', () => {
  it('has a beat for each picture, at the time at which it is due', () => {
    const { beats, durationMs } = clipOf(simpleStream({ pictures: 20 }));
    expect(beats.map(({ dueMs }) => dueMs)).toEqual(Array.from({ length: 20 }, (_, n) => n * 40));
    expect(beats[0]?.at).toBe(0);
    expect(durationMs).toBe(800);
  });

  it('begins at the first of five packets in a row, and ends with the last whole one', () => {
    const stream = simpleStream();
    const junk = Buffer.alloc(17, 0x47);
    const { packets } = clipOf(Buffer.concat([junk, stream, stream.subarray(0, 99)]));
    expect(packets.equals(stream)).toBe(true);
  });

  it('sends what comes before its first keyframe together with it', () => {
    const plain = pes({ pts90k: 86_400, data: H264_PLAIN });
    const head = new TsBuilder().tables().unit(VIDEO_PID, plain).bytes;
    const { beats, durationMs } = clipOf(Buffer.concat([head, simpleStream()]));
    expect([beats[0], durationMs]).toEqual([{ at: 0, dueMs: 0 }, 800]);
    expect(beats[1]?.at).toBeGreaterThan(head.length);
  });

  it('may have sound only', () => {
    const radio = { ...PROGRAM, pcrPid: AUDIO_PID, tracks: PROGRAM.tracks.slice(1) };
    const builder = new TsBuilder().tables(radio);
    for (let frame = 0; frame < 50; frame += 1) {
      const data = adtsFrame(200, frame);
      builder.unit(AUDIO_PID, pes({ pts90k: frame * 1920, data, streamId: 0xc0, isSized: true }));
    }
    const { beats, durationMs } = clipOf(builder.bytes);
    expect([beats.length, Math.round(durationMs)]).toEqual([50, 1067]);
  });

  it('follows itself for as long as it says, to the tick, with counters and clocks going on', () => {
    const clip = clipOf(simpleStream({ pictures: 30 }));
    const out = looped(clip, 4);
    expect(checkTs(out)).toMatchObject({ counterErrors: [], stepsBack: [], leaps: [] });
    const times = pesPackets(out, new Set([VIDEO_PID])).map(({ pts90k }) => pts90k);
    const steps = new Set(times.slice(1).map((time, index) => time - (times[index] ?? 0)));
    expect([...steps]).toEqual([3600]);
    expect((times[90] ?? 0) - (times[0] ?? 0)).toBe(3 * 90 * clip.durationMs);
  });
});

describe('bytes that are no clip', () => {
  const scrambled = new TsBuilder().tables().packet({
    pid: VIDEO_PID,
    payload: Buffer.alloc(184),
    scrambled: true,
    starts: true,
  });
  for (let nth = 0; nth < 5; nth += 1) scrambled.tables();
  const plain = new TsBuilder().tables();
  for (let nth = 0; nth < 10; nth += 1) {
    plain.unit(VIDEO_PID, pes({ pts90k: nth * 3600, data: H264_PLAIN }));
  }
  it.each([
    ['are empty', Buffer.alloc(0), 'not-mpeg-ts'],
    ['are a page', Buffer.from('<html>'.repeat(500)), 'not-mpeg-ts'],
    ['are shorter than five packets', simpleStream().subarray(0, 188 * 4), 'not-mpeg-ts'],
    ['are without tables', Buffer.alloc(188 * 20, packet({ pid: VIDEO_PID })), 'no-tables'],
    ['are without keyframe', plain.bytes, 'no-keyframe'],
    ['are scrambled', scrambled.bytes, 'scrambled'],
    ['last for two pictures', simpleStream({ pictures: 2 }), 'no-usable-times'],
    [
      'run backwards',
      Buffer.concat([simpleStream({ firstPts90k: 900_000 }), simpleStream()]),
      'no-usable-times',
    ],
  ] as const)('%s', (_name, bytes, fault) => {
    expect(readClip(bytes)).toBe(fault);
  });
});
