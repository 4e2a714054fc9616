import { describe, expect, it } from 'vitest';
import { Splicer, TsAnalyser } from '#mpegts';
import { AUDIO_PID, PMT_PID, VIDEO_PID, simpleStream } from '../../support/ts-build.ts';
import { checkTs, type TsFault } from '../../../scripts/faultd.d/ts-check.ts';

const HOUR_90K = 3600 * 90_000;
const CARD_PIDS = { videoPid: 0x300, audioPid: 0x301 };

/** What one splicer makes of bytes that come over one connection. */
const spliced = (...bytes: readonly Buffer[]): Buffer =>
  Buffer.concat(new Splicer().push([Buffer.concat(bytes)]));

/** Tables that come before the first picture have passed when it proves to be another source's. */
const ofTracks = (faults: readonly TsFault[]): readonly TsFault[] =>
  faults.filter(({ pid }) => pid !== 0 && pid !== PMT_PID);

describe('a source that becomes another in the middle', () => {
  it.each([
    ['later', HOUR_90K],
    ['earlier', 0],
    ['by chance at the same times', 90_000 + 20 * 3600],
  ])('goes on with its pictures, %s and on other PIDs', (_name, firstPts90k) => {
    const out = spliced(simpleStream(), simpleStream({ ...CARD_PIDS, firstPts90k }));
    const report = checkTs(out);
    expect([...report.pids].toSorted((a, b) => a - b)).toEqual([0, VIDEO_PID, AUDIO_PID, PMT_PID]);
    expect(report).toMatchObject({ stepsBack: [], leaps: [], announced: 0 });
    expect(ofTracks(report.counterErrors)).toEqual([]);
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
    expect(report).toMatchObject({ stepsBack: [], leaps: [] });
    expect(ofTracks(report.counterErrors)).toEqual([]);
  });
});
