import { lowLatencyOf, withoutLowLatency } from '#hls';
import type { LowLatencyFacts } from '#hls';
import type { FetchedPlaylist } from './fetch-playlist.ts';

/** The same object where there is nothing of low latency in it. */
export function withoutLatency(playlist: FetchedPlaylist): FetchedPlaylist {
  if (playlist.facts.shape !== 'media') return playlist;
  const text = withoutLowLatency(playlist.text);
  return text === playlist.text ? playlist : { ...playlist, text };
}

/** What low-latency players can be told of a playlist; nothing where it is none for them. */
export const lowLatencyIn = ({ text, facts }: FetchedPlaylist): LowLatencyFacts | undefined =>
  facts.shape === 'media' && !facts.isEnded ? lowLatencyOf(text) : undefined;
