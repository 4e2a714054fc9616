import type { Variables } from './variables.ts';

/** Attributes that a player chooses a track by. Published handles hold the place in this list. */
export const TRAITS = [
  'RESOLUTION',
  'CODECS',
  'FRAME-RATE',
  'VIDEO-RANGE',
  'AUDIO',
  'GROUP-ID',
  'NAME',
  'LANGUAGE',
  'CHANNELS',
] as const;

export type Trait = (typeof TRAITS)[number];
/** As announced. `AUDIO` only where the sound of that group comes apart from the pictures. */
export type Traits = Readonly<Partial<Record<Trait, string>>>;

/**
 * One playlist among those that a multivariant playlist names: which, counted among those of its
 * role, and what it was said to be, so that another source can be asked for its like.
 */
export type Track = {
  /** `variant`, `iframe`, `image`, or the type of a rendition: `audio`, `video`, `subtitles`. */
  readonly role: string;
  /** Counted from 0 among those of the same role, in the order of the text. */
  readonly ordinal: number;
  /** Bits per second as announced; 0 where nothing is announced. */
  readonly bandwidth: number;
  /** `STABLE-VARIANT-ID` or `STABLE-RENDITION-ID`: the name that steering knows it by. */
  readonly stableId?: string;
  readonly traits?: Traits;
};

/** A track, where its playlist is, and what was defined when it was named. */
export type TrackUrl = {
  readonly track: Track;
  readonly url: string;
  readonly variables: Variables;
};

/**
 * The tracks of one multivariant playlist, whose variants name a group of sound only where that
 * has a playlist of its own: a group without one is inside the variant.
 */
export function withSoundApart(tracks: readonly TrackUrl[]): readonly TrackUrl[] {
  const apart = new Set(
    tracks
      .filter(({ track }) => track.role === 'audio')
      .map(({ track }) => track.traits?.['GROUP-ID']),
  );
  return tracks.map((named) => {
    const { AUDIO: group, ...traits } = named.track.traits ?? {};
    if (group === undefined || apart.has(group)) return named;
    return { ...named, track: { ...named.track, traits } };
  });
}
