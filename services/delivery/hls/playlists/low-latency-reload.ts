import { inEpoch, listsPosition, splitSequence, wholeSequence } from '#hls';
import type { ReloadPosition, SplitSequence } from '#hls';
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

/**
 * Reads `_HLS_msn`, `_HLS_part` and `_HLS_skip`. Whatever else a player says is dropped: each
 * wording would be a request of its own to the source.
 */
export function directivesOf(query: string): Directives {
  if (query === '') return NO_DIRECTIVES;
  const values = new URLSearchParams(query);
  const msn = numberIn(values.get('_HLS_msn'));
  const part = countIn(values.get('_HLS_part'));
  const skip = values.get('_HLS_skip') ?? undefined;
  const position = msn && { sequence: msn.rest, ...inEpoch(msn.epoch), part };
  return directives(position, SKIPS.has(skip ?? '') ? skip : undefined);
}

/**
 * What of a reload is worth a request of its own, by what was loaded last: that its server holds
 * reloads, or leaves out what is known; and a place that it would wait for
 * (RFC 8216bis §6.2.5.2). Otherwise it is an ordinary reload, as all others have it.
 *
 * @param known - What the reload would replace; none: nothing is known yet, and all is asked for.
 */
export function worthAsking(asked: Directives, known: readonly LoadedPlaylist[]): Directives {
  if (known.length === 0 || asked.query === '') return asked;
  const canWait = known.some((loaded) => canWaitFor(loaded, asked.position));
  const canSkip = known.some(({ lowLatency }) => lowLatency?.canSkipUntilMs !== undefined);
  return directives(canWait ? asked.position : undefined, canSkip ? asked.skip : undefined);
}

const SKIPS = new Set(['YES', 'v2']);

function directives(
  position: ReloadPosition | undefined,
  skip: Directives['skip'] | undefined,
): Directives {
  const said = Object.entries({
    _HLS_msn: position && wholeSequence({ ...inEpoch(position.epoch), rest: position.sequence }),
    _HLS_part: position?.part,
    _HLS_skip: skip,
  });
  const query = said.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  return { query: query.join('&'), position, skip };
}

/** A server refuses to wait for what is further ahead. */
const MAX_SEGMENTS_AHEAD = 2;
/** Segments may be longer than their target, by rounding, and parts shorter than theirs. */
const SPARE_PARTS = 4;

function canWaitFor(
  { lowLatency, targetDurationMs = 0 }: LoadedPlaylist,
  position: ReloadPosition | undefined,
): boolean {
  if (!lowLatency?.canBlockReload || !position) return false;
  const { lastSequence, partTargetMs, trailingParts, partsOfLast } = lowLatency;
  if (position.epoch !== lowLatency.epoch) return false;
  if (position.sequence > lastSequence + MAX_SEGMENTS_AHEAD) return false;
  const parts = Math.ceil(targetDurationMs / Math.max(1, partTargetMs ?? targetDurationMs));
  return (position.part ?? 0) <= Math.max(parts, trailingParts, partsOfLast) + SPARE_PARTS;
}

/** Delta updates are kept beside the whole playlist. */
export const variantKey = (key: string, { skip }: Directives): string =>
  skip === undefined ? key : `${key} skip=${skip}`;

/** Whether a playlist is what a reload waits for; asking the source would give no other. */
export const satisfies = ({ lowLatency }: LoadedPlaylist, position: ReloadPosition): boolean =>
  lowLatency !== undefined && listsPosition(lowLatency, position);

function numberIn(text: string | null): SplitSequence | undefined {
  const split = /^\d{1,20}$/.test(text ?? '') ? splitSequence(text ?? '') : undefined;
  return Number.isNaN(split?.rest) ? undefined : split;
}

const countIn = (text: string | null): number | undefined =>
  text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
