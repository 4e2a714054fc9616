import { BitrateDrop } from './bitrate-drop.ts';
import { BitrateFloor } from './bitrate-floor.ts';
import type { DetectionSettings } from './detection-settings.ts';
import { ErrorRate } from './error-rate.ts';
import type { Detector, Finding, FindingCode, Sample } from './finding.ts';
import { Looping } from './looping.ts';
import { LostSync } from './lost-sync.ts';
import { MissingTrack } from './missing-track.ts';
import { PcrStop } from './pcr-stop.ts';
import { Scrambling } from './scrambling.ts';

/** A source with these is of no use at all; with the others it may be the best that there is. */
const FATAL: ReadonlySet<FindingCode> = new Set(['UPSTREAM_PCR_STOPPED', 'UPSTREAM_WRONG_TYPE']);

/** All detectors that are switched on, over one source. Make a new one for another source. */
export class SourceJudge {
  readonly #detectors: readonly Detector[];

  constructor(settings: DetectionSettings) {
    this.#detectors = detectorsOf(settings);
  }

  /**
   * Takes the next look at the source.
   *
   * @param hasOther - There is another source to go to. Without one, only what makes this one
   *   useless is found.
   */
  see(sample: Sample, hasOther: boolean): Finding | undefined {
    const findings = this.#detectors.map((detector) => detector.see(sample));
    return findings.find((finding) => finding && (hasOther || FATAL.has(finding.code)));
  }
}

/** Listed so that of two that see the same fault the one that names it best comes first. */
function detectorsOf(settings: DetectionSettings): readonly Detector[] {
  const { wrongType, looping, scrambling, track, pcr, errors } = settings;
  const { bitrateFloor, bitrateDrop } = settings;
  return [
    ...(wrongType.isOn ? [new LostSync()] : []),
    ...(looping.isOn ? [new Looping(looping)] : []),
    ...(scrambling.isOn ? [new Scrambling()] : []),
    ...(track.isOn ? [new MissingTrack(track)] : []),
    ...(pcr.isOn ? [new PcrStop(pcr)] : []),
    ...(errors.isOn ? [new ErrorRate(errors)] : []),
    ...(bitrateFloor.isOn ? [new BitrateFloor(bitrateFloor)] : []),
    ...(bitrateDrop.isOn ? [new BitrateDrop(bitrateDrop)] : []),
  ];
}
