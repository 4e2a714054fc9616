import { listsPosition } from '#hls';
import type { ReloadPosition } from '#hls';
import type { LoadedPlaylist } from './playlist-loader.ts';

/** What a low-latency player says to its reload. */
export type Directives = {
  /** As a query, sorted as RFC 8216bis §6.2.5 asks; empty: an ordinary reload. */
  readonly query: string;
  /** The first playlist that has this is wanted. */
  readonly position: ReloadPosition | undefined;
  /** `YES` or `v2`: what it has already may be left out. */
  readonly skip: string | undefined;
};

export const NO_DIRECTIVES: Directives = { query: '', position: undefined, skip: undefined };

/** Reads `_HLS_msn`, `_HLS_part` and `_HLS_skip`; what is no number is left to the source. */
export function directivesOf(query: string): Directives {
  if (query === '') return NO_DIRECTIVES;
  const values = new URLSearchParams(query);
  const sequence = countIn(values.get('_HLS_msn'));
  const part = countIn(values.get('_HLS_part'));
  const position = sequence === undefined ? undefined : { sequence, part };
  return { query, position, skip: values.get('_HLS_skip') ?? undefined };
}

/** Delta updates are kept beside the whole playlist. */
export const variantKey = (key: string, { skip }: Directives): string =>
  skip === undefined ? key : `${key} skip=${skip}`;

/** Whether a playlist is what a reload waits for; asking the source would give no other. */
export const satisfies = ({ lowLatency }: LoadedPlaylist, position: ReloadPosition): boolean =>
  lowLatency !== undefined && listsPosition(lowLatency, position);

const countIn = (text: string | null): number | undefined =>
  text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
