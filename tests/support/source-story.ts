import { loadConfig } from '#config';
import { SourceJudge } from '#detection';
import type { DetectionSettings, Sample } from '#detection';

const LOOK_MS = 250;
const PACKET_BYTES = 188;
const TICKS_PER_MS = 27_000;
const PCR_MODULO = 2 ** 33 * 300;

/** How a source behaves for a while; what is left out is as in a healthy one of 8 Mbit/s. */
export type Chapter = {
  readonly ms: number;
  readonly bytesPerSecond?: number;
  /** How fast the program clock goes: 1 is as it should. */
  readonly clockRate?: number;
  /** The clock goes back by this much, so often. */
  readonly clip?: { readonly ms: number };
  /** The clock repeats a moment of this length. */
  readonly jitterMs?: number;
  readonly hasVideo?: boolean;
  readonly hasAudio?: boolean;
  readonly isScrambled?: boolean;
  readonly errorsPerSecond?: number;
  /** All bytes are in no packet. */
  readonly isGarbage?: boolean;
  /** Share of the time in which we hold it up. */
  readonly heldShare?: number;
  /** All comes at once, so often. */
  readonly burstMs?: number;
  /** No transport stream. */
  readonly isRadio?: boolean;
};

/** Every switch on, all numbers as they come. */
export const settings = (over: Partial<DetectionSettings> = {}): DetectionSettings => {
  const { detection } = loadConfig({ ENABLE_BITRATE_MONITORING: 'on' });
  return { ...detection, ...over };
};

/** What a judge finds first in a story, and when; `undefined` when it finds nothing. */
export function firstFinding(
  chapters: readonly Chapter[],
  { over = {}, hasOther = true }: { over?: Partial<DetectionSettings>; hasOther?: boolean } = {},
): { readonly code: string; readonly atMs: number } | undefined {
  const judge = new SourceJudge(settings(over));
  for (const sample of samplesOf(chapters)) {
    const finding = judge.see(sample, hasOther);
    if (finding !== undefined) return { code: finding.code, atMs: sample.readMs };
  }
  return undefined;
}

type Mutable = { -readonly [Key in keyof Sample]: Sample[Key] };

/** One look every 250 ms. */
export function* samplesOf(chapters: readonly Chapter[]): Generator<Sample> {
  const teller = new Teller();
  for (const chapter of chapters) {
    for (let ms = 0; ms < chapter.ms; ms += LOOK_MS) yield teller.look(chapter, ms);
  }
}

class Teller {
  readonly #now: Mutable;
  readonly #counts = { video: 0, audio: 0, videoScrambled: 0, audioScrambled: 0 };
  #packets = 0;
  #errors = 0;
  #pcr27m = PCR_MODULO - 5000 * TICKS_PER_MS; // Wraps within the story.
  #clipMs = 0;
  #stepsBack = 0;
  #lastStepBack27m = 0;

  constructor() {
    this.#now = { readMs: 0, bytes: 0, lostBytes: 0, pausedMs: 0, peakGapMs: 20, facts: NOTHING };
  }

  look(chapter: Chapter, withinMs: number): Sample {
    const now = this.#now;
    if (withinMs === 0) this.#clipMs = 0;
    const held = LOOK_MS * (chapter.heldShare ?? 0);
    const readMs = LOOK_MS - held;
    now.readMs += readMs;
    now.pausedMs += held;
    now.peakGapMs = chapter.burstMs ?? 20;
    const dueMs = sentMs(chapter, withinMs, readMs);
    const bytes = (dueMs * (chapter.bytesPerSecond ?? 1_000_000)) / 1000;
    now.bytes += bytes;
    if (chapter.isGarbage) now.lostBytes += bytes;
    else if (!chapter.isRadio && bytes > 0) this.#flow(chapter, bytes, dueMs);
    now.facts = chapter.isRadio ? NOTHING : this.#facts();
    return { ...now };
  }

  #flow(chapter: Chapter, bytes: number, ms: number): void {
    const { hasVideo = true, hasAudio = true, isScrambled = false, errorsPerSecond = 0 } = chapter;
    const packets = Math.ceil(bytes / PACKET_BYTES);
    const video = hasVideo ? Math.ceil(packets * 0.9) : 0;
    const audio = hasAudio ? Math.ceil(packets * 0.1) : 0;
    this.#packets += packets;
    this.#errors += (errorsPerSecond * ms) / 1000;
    this.#counts.video += video;
    this.#counts.audio += audio;
    this.#counts.videoScrambled += isScrambled ? video : 0;
    this.#counts.audioScrambled += isScrambled ? audio : 0;
    this.#tick(chapter, ms);
  }

  #tick({ clockRate = 1, clip, jitterMs }: Chapter, ms: number): void {
    this.#pcr27m += ms * clockRate * TICKS_PER_MS;
    this.#clipMs += ms;
    const lengthMs = clip?.ms ?? jitterMs ?? Infinity;
    while (this.#clipMs >= lengthMs) {
      this.#clipMs -= lengthMs;
      this.#pcr27m -= lengthMs * TICKS_PER_MS;
      this.#stepsBack += 1;
      this.#lastStepBack27m = lengthMs * TICKS_PER_MS;
    }
  }

  #facts(): Sample['facts'] {
    const { video, audio, videoScrambled, audioScrambled } = this.#counts;
    return {
      packets: this.#packets,
      counterErrors: Math.floor(this.#errors),
      transportErrors: 0,
      pcr27m: this.#pcr27m % PCR_MODULO,
      pcrStepsBack: this.#stepsBack,
      lastStepBack27m: this.#lastStepBack27m,
      program: { pmtPid: 0x1000 },
      tracks: [
        { pid: 0x100, kind: 'video', packets: video, scrambledPackets: videoScrambled },
        { pid: 0x101, kind: 'audio', packets: audio, scrambledPackets: audioScrambled },
      ],
    };
  }
}

const NOTHING: Sample['facts'] = {
  packets: 0,
  counterErrors: 0,
  transportErrors: 0,
  pcr27m: undefined,
  pcrStepsBack: 0,
  lastStepBack27m: 0,
  program: undefined,
  tracks: [],
};

/** For how long what has come since the last look lasts. */
function sentMs({ burstMs }: Chapter, withinMs: number, readMs: number): number {
  if (burstMs === undefined) return readMs;
  return withinMs % burstMs === 0 ? burstMs : 0;
}
