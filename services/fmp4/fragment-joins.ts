import { boxType, boxesIn } from './box.ts';
import { readFragment } from './fragment.ts';
import { readInit } from './media-init.ts';
import type { MediaInit } from './media-init.ts';

/** Where a viewer can begin, and what it must have before. */
export type FragmentJoin = { readonly at: number; readonly tables: Buffer };

/**
 * Finds where one can begin in fragmented MP4 that comes in whole units: where a fragment begins
 * with a keyframe, behind the initialization segment. Of anything else it finds nothing.
 */
export class FragmentJoins {
  #init: MediaInit | undefined;
  #isOther = false;

  /** @returns places counted over all `parts`. */
  read(parts: readonly Buffer[]): readonly FragmentJoin[] {
    if (this.#isOther) return [];
    let at = 0;
    return parts.flatMap((part) => {
      const join = this.#join(part, at);
      at += part.length;
      return join === undefined ? [] : [join];
    });
  }

  #join(part: Buffer, at: number): FragmentJoin | undefined {
    const type = boxType(part);
    if (type === 'ftyp') this.#init = initIn(part);
    if (this.#init === undefined) this.#isOther ||= part.length > 0;
    if (this.#init === undefined || type !== 'moof') return undefined;
    const { parts } = readFragment(part, this.#init);
    const leader = parts.find(({ track }) => track.kind === 'video') ?? parts[0];
    return leader?.isSync === true ? { at, tables: this.#init.bytes } : undefined;
  }
}

function initIn(part: Buffer): MediaInit | undefined {
  const boxes = boxesIn(part).filter(({ type }) => type === 'ftyp' || type === 'moov');
  if (boxes.length < 2) return undefined;
  return readInit(Buffer.concat(boxes.map(({ bytes }) => bytes)));
}
