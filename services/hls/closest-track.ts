import { hasPictures, otherFormats, pictureFormats } from './codecs.ts';
import type { Track, TrackUrl, Traits } from './track.ts';

/**
 * The track of another multivariant playlist that stands in best for the wanted one.
 *
 * Of variants, I-frame lists and the like: whether sound and pictures come together as before, the
 * formats (a player may have no other decoder), then size of the picture, pictures per second, bits
 * per second. Of renditions: language, name, group, channels. Among equals: the stable identifier,
 * the position. What one side does not say is neither near nor far.
 *
 * Where sound does not come apart there, the smallest variant stands in for a rendition of it.
 */
export function closestTrack(wanted: Track, offered: readonly TrackUrl[]): TrackUrl | undefined {
  const alike = offered.filter(({ track }) => track.role === wanted.role);
  if (alike.length === 0) return standInFor(wanted, offered);
  const isRendition = !HAS_VARIANT_TRAITS.has(wanted.role);
  const distancesOf = isRendition ? renditionDistances : variantDistances;
  return nearest(alike, (track) => [
    ...distancesOf(wanted, track),
    ...placeDistances(wanted, track),
  ]);
}

const HAS_VARIANT_TRAITS = new Set(['variant', 'iframe', 'image']);

type Distances = readonly number[];

/** The first of those whose distances are smallest, compared in order. */
function nearest(
  offered: readonly TrackUrl[],
  distancesOf: (track: Track) => Distances,
): TrackUrl | undefined {
  let best: { readonly named: TrackUrl; readonly distances: Distances } | undefined;
  for (const named of offered) {
    const distances = distancesOf(named.track);
    if (best === undefined || isLess(distances, best.distances)) best = { named, distances };
  }
  return best?.named;
}

function isLess(one: Distances, other: Distances): boolean {
  const at = one.findIndex((distance, index) => distance !== other[index]);
  return at >= 0 && (one[at] ?? 0) < (other[at] ?? 0);
}

/** Players take of a playlist of sound what is sound. Texts and film strips have no stand-in. */
function standInFor({ role }: Track, offered: readonly TrackUrl[]): TrackUrl | undefined {
  if (role !== 'audio' && role !== 'video') return undefined;
  const variants = offered.filter(({ track }) => track.role === 'variant');
  return nearest(variants, (track) => [
    Number(hasSoundApart(track)),
    Number(role === 'audio' && showsPictures(track)),
    track.bandwidth,
  ]);
}

function variantDistances(wanted: Track, offered: Track): Distances {
  const [one, other] = [wanted.traits ?? {}, offered.traits ?? {}];
  return [
    Number(hasSoundApart(wanted) !== hasSoundApart(offered)),
    Number(showsPictures(wanted) !== showsPictures(offered)),
    formatDistance(one, other, pictureFormats),
    formatDistance(one, other, otherFormats),
    unlike(one['VIDEO-RANGE'], other['VIDEO-RANGE']),
    numberDistance(pixelsIn(one), pixelsIn(other), sizeSteps),
    numberDistance(Number(one['FRAME-RATE']), Number(other['FRAME-RATE']), wholePictures),
    bandwidthDistance(wanted.bandwidth, offered.bandwidth),
  ];
}

function renditionDistances({ traits: one = {} }: Track, { traits: other = {} }: Track): Distances {
  return [
    languageDistance(one.LANGUAGE, other.LANGUAGE),
    unlike(one.NAME?.toLowerCase(), other.NAME?.toLowerCase()),
    unlike(one['GROUP-ID'], other['GROUP-ID']),
    unlike(one.CHANNELS, other.CHANNELS),
  ];
}

const placeDistances = (wanted: Track, offered: Track): Distances => [
  unlike(wanted.stableId, offered.stableId),
  Math.abs(wanted.ordinal - offered.ordinal),
];

/** Its sound has a playlist of its own. */
export const hasSoundApart = ({ traits }: Track): boolean => traits?.AUDIO !== undefined;
const showsPictures = ({ traits }: Track): boolean =>
  hasPictures(traits?.RESOLUTION, traits?.CODECS);

/** Between the same and another. */
const UNSAID = 0.5;

const unlike = (one: string | undefined, other: string | undefined): number => {
  if (one === other) return 0;
  return one === undefined || other === undefined ? UNSAID : 1;
};

/** How many of the wanted formats are missing. */
function formatDistance(
  { CODECS: one }: Traits,
  { CODECS: other }: Traits,
  formatsIn: (codecs: string) => readonly string[],
): number {
  if (one === undefined) return 0;
  if (other === undefined) return UNSAID;
  const there = new Set(formatsIn(other));
  return formatsIn(one).filter((format) => !there.has(format)).length;
}

/** `de` and `de-AT` are nearer than `de` and `fr`, and than `de` and nothing. */
function languageDistance(one: string | undefined, other: string | undefined): number {
  const isSamePrimary = one !== undefined && primaryOf(one) === primaryOf(other ?? '');
  return isSamePrimary && one !== other ? UNSAID / 2 : unlike(one, other);
}

const primaryOf = (language: string): string => language.toLowerCase().split('-')[0] ?? '';

/** 0 or NaN: not said. Nothing wanted is near to everything. */
function numberDistance(
  one: number,
  other: number,
  distance: (one: number, other: number) => number,
): number {
  if (!(one > 0)) return 0;
  return other > 0 ? distance(one, other) : UNSAID;
}

function pixelsIn({ RESOLUTION: size }: Traits): number {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(size?.trim() ?? '') ?? [];
  return Number(width) * Number(height);
}

/** 1080 and 1088 lines are one size; 720 and 1080 are 0.8 apart. */
const sizeSteps = (one: number, other: number): number =>
  Math.round(10 * Math.abs(Math.log(one / other))) / 10;

/** 29.97 and 30 are one rate. */
const wholePictures = (one: number, other: number): number => Math.round(Math.abs(one - other));

const bandwidthDistance = (one: number, other: number): number => {
  if (one === 0) return 0;
  return other === 0 ? one * UNSAID : Math.abs(one - other);
};
