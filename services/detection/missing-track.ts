import type { DetectionSettings } from './detection-settings.ts';
import type { Detector, Finding, Sample } from './finding.ts';

/** A track that was there for less was no promise. */
const SEEN_MS = 2_000;
const KINDS = ['video', 'audio'] as const;

type Presence = { packets: number; seenMs: number; missingMs: number };

/** Pictures or sound had been there, and packets flow without them. */
export class MissingTrack implements Detector {
  readonly #missingMs: number;
  readonly #presence = { video: absent(), audio: absent() };
  #lastMs = 0;
  #packets = 0;

  constructor({ missingMs }: DetectionSettings['track']) {
    this.#missingMs = missingMs;
  }

  see(sample: Sample): Finding | undefined {
    const { readMs, facts } = sample;
    const elapsedMs = readMs - this.#lastMs;
    const isFlowing = facts.packets > this.#packets;
    this.#lastMs = readMs;
    this.#packets = facts.packets;
    if (!isFlowing) return undefined;
    for (const kind of KINDS) note(this.#presence[kind], packetsOf(sample, kind), elapsedMs);
    const missing = KINDS.find((kind) => this.#isMissing(this.#presence[kind]));
    if (missing === undefined) return undefined;
    return {
      code: 'UPSTREAM_TRACK_MISSING',
      message: `The source has lost its ${missing}.`,
      details: { track: missing },
    };
  }

  #isMissing({ seenMs, missingMs }: Presence): boolean {
    return seenMs >= SEEN_MS && missingMs >= this.#missingMs;
  }
}

const absent = (): Presence => ({ packets: 0, seenMs: 0, missingMs: 0 });

/** One of several sound tracks may end: the others are sound too. */
const packetsOf = ({ facts }: Sample, kind: string): number =>
  facts.tracks.reduce((sum, track) => sum + (track.kind === kind ? track.packets : 0), 0);

function note(presence: Presence, packets: number, elapsedMs: number): void {
  // Fewer than before: the tables have dropped a track.
  const isThere = packets > presence.packets;
  presence.packets = packets;
  if (isThere) presence.seenMs += elapsedMs;
  presence.missingMs = isThere ? 0 : presence.missingMs + elapsedMs;
}
