import { fragmentOf, initOf } from '#fmp4';
import type { MediaInit, MediaTrack } from '#fmp4';
import type { CutFragments } from './fragment-cutter.ts';

/** A playlist of fragmented MP4: of the whole file, or of one of its tracks. */
export type FragmentList = {
  /** What parts of it are called by. */
  readonly name: string;
  /** Absent: all tracks in one file. */
  readonly track?: MediaTrack;
};

/** What an `init` is served as: tracks of their own where there are several of pictures. */
export function listsOf({ tracks }: MediaInit): readonly FragmentList[] {
  const isLadder = tracks.filter(({ kind }) => kind === 'video').length > 1;
  if (!isLadder) return [{ name: 'all' }];
  return tracks
    .filter(({ kind }) => kind !== 'other')
    .map((track) => ({ name: `${track.kind === 'video' ? 'v' : 'a'}${track.id}`, track }));
}

/** The bytes of each list in one segment. */
export const splitSegment = (segment: CutFragments): ReadonlyMap<string, Buffer> =>
  new Map(listsOf(segment.init).map((list) => [list.name, bytesIn(segment, list)]));

function bytesIn({ fragments }: CutFragments, { track }: FragmentList): Buffer {
  if (track === undefined) return Buffer.concat(fragments.map(({ bytes }) => bytes));
  return Buffer.concat(fragments.flatMap((fragment) => fragmentOf(fragment, track.id) ?? []));
}

/** The initialization segment of each list. */
export const splitInit = (init: MediaInit): ReadonlyMap<string, Buffer> =>
  new Map(
    listsOf(init).map(({ name, track }) => [
      name,
      track === undefined ? init.bytes : initOf(init, track.id),
    ]),
  );
