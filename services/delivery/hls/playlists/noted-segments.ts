import type { Reference } from '#hls';
import type { Listing } from './listed-segments.ts';

/** Takes down which segments a playlist lists, while it is written. */
export class NotedSegments {
  readonly #segments: string[] = [];
  readonly #parts = new Set<string>();
  readonly #absent = new Set<string>();

  note({ kind, as, url }: Reference): void {
    if (kind !== 'segment') return;
    if (as === 'part') this.#parts.add(url);
    else if (as === 'hint') this.#absent.add(url);
    else this.#segments.push(url);
    if (as === 'gap') this.#absent.add(url);
  }

  /** URLs that it has been given a name for. */
  get count(): number {
    return this.#segments.length + this.#parts.size;
  }

  get all(): Pick<Listing, 'segments' | 'parts' | 'absent'> {
    return { segments: this.#segments, parts: this.#parts, absent: this.#absent };
  }
}
