import type { Track } from '#hls';
import type { PlaylistAsk } from './playlist-finder.ts';

/** The name of what is a media playlist at the stream's own address. */
export const ENTRY_TRACK = 'entry';

/**
 * Names a track for those who have the same link to it, whichever source they are given it from:
 * who came later, by the playlist of another source, may be given another one for the same place.
 * Playlists that are no track of the stream are not followed.
 */
export function trackKeyOf(ask: PlaylistAsk): string | undefined {
  if (ask.kind === 'entry') return ENTRY_TRACK;
  const { track, source } = ask.target;
  return track && `${track.role} ${track.ordinal} ${source}`;
}

/** The track that is asked for, where a multivariant playlist has named it. */
export const trackOf = (ask: PlaylistAsk): Track | undefined =>
  ask.kind === 'child' ? ask.target.track : undefined;

/** Interstitials are playlists that no multivariant playlist of the stream has named. */
export const isOfStream = (ask: PlaylistAsk): boolean => trackKeyOf(ask) !== undefined;

const ESSENTIAL = new Set([ENTRY_TRACK, 'variant', 'audio', 'video']);

/** Pictures and sound: a subtitle or film strip that is missing takes no picture away. */
export const isEssential = (trackKey: string | undefined): boolean =>
  trackKey !== undefined && ESSENTIAL.has(trackKey.split(' ', 1)[0] ?? '');
