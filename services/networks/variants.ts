import { codesOf } from './languages.ts';
import type { Programme } from './programme.ts';

/** What is tried of a programme: all that was asked for first, then less. */
export type Variant = {
  /** What follows `a:` in a map; the first is tried, and none takes the first track. */
  readonly audio: readonly string[];
  /** What follows `s:` in a map, likewise; `null` makes no subtitles. */
  readonly subtitles: readonly string[] | null;
  readonly usesHwaccel: boolean;
};

export const firstVariant = ({ audioLanguage, subtitles, encoding }: Programme): Variant => ({
  audio: mapsOf(audioLanguage),
  subtitles: subtitles === null ? null : mapsOf(subtitles.language),
  usesHwaccel: encoding?.hwaccel !== null && encoding !== null,
});

/** Digits are the place of a track, everything else is a language. */
function mapsOf(language: string | null): readonly string[] {
  if (language === null) return [];
  if (/^\d+$/.test(language)) return [language];
  return codesOf(language).map((code) => `m:language:${code}`);
}

const NO_SUCH_TRACK = /stream map '\d:([as]):[^']*' matches no streams/i;
const OF_SUBTITLES = /subtitle|webvtt|\bsub\b/i;

/**
 * What to try when FFmpeg has refused a variant before anything came of it: a track that is not
 * there, or subtitles that are pictures, must not keep a programme from being shown.
 * @returns undefined when nothing is left that could be left out.
 */
export function lesserVariant(
  variant: Variant,
  refusal: { readonly isOfDevice: boolean; readonly lines: readonly string[] },
): Variant | undefined {
  const text = refusal.lines.join('\n');
  const track = NO_SUCH_TRACK.exec(text)?.[1];
  if (track === 'a' && variant.audio.length > 0) {
    return { ...variant, audio: variant.audio.slice(1) };
  }
  if (refusal.isOfDevice && variant.usesHwaccel) return { ...variant, usesHwaccel: false };
  const isOfSubtitles = track === 's' || OF_SUBTITLES.test(text);
  return isOfSubtitles ? withLessSubtitles(variant, track === 's') : undefined;
}

function withLessSubtitles(variant: Variant, isAbsent: boolean): Variant | undefined {
  if (variant.subtitles === null) return undefined;
  const [, ...others] = variant.subtitles;
  return { ...variant, subtitles: isAbsent && others.length > 0 ? others : null };
}
