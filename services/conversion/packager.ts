import { LiveList, mostBytesOfOne } from './live-list.ts';
import type { PackagerOptions } from './live-list.ts';
import type { PackagedPart, Packaging, PartUrl } from './packaging.ts';
import { SegmentCutter } from './segment-cutter.ts';
import type { CutSegment } from './segment-cutter.ts';
import type { KeptSegment } from './segment-window.ts';

/** Makes an HLS stream of a transport stream. */
export class Packager implements Packaging {
  readonly #cutter: SegmentCutter;
  readonly #list: LiveList<CutSegment>;

  constructor(options: PackagerOptions) {
    const { targetMs, mostBytes, clock } = options;
    this.#list = new LiveList(options);
    this.#cutter = new SegmentCutter({
      targetMs,
      mostBytes: mostBytesOfOne(mostBytes),
      clock,
      cut: (segment) => this.#list.add(segment, this.#cutter.gopMs),
    });
  }

  get ready(): Promise<void> {
    return this.#list.ready;
  }
  get targetDurationMs(): number {
    return this.#list.targetDurationMs;
  }
  get lastDiscontinuity(): number {
    return this.#list.lastDiscontinuity;
  }

  write(bytes: Buffer): void {
    this.#cutter.push(bytes);
  }

  /** @param urlOf - Where the segment of this number is to be asked for. */
  playlist(urlOf: (sequence: number) => string): string {
    return this.#list.playlist({ urlOf });
  }

  text(urlOf: PartUrl, list?: string): string | undefined {
    if (list !== undefined) return undefined;
    return this.playlist((sequence) => urlOf({ name: String(sequence), file: 'segment.ts' }));
  }

  part(name: string): PackagedPart | undefined {
    const segment = this.segment(Number(name));
    return segment && { bytes: segment.bytes, contentType: 'video/mp2t' };
  }

  /** A segment that a playlist has listed; undefined when it is not kept any more. */
  segment(sequence: number): KeptSegment | undefined {
    return this.#list.find(sequence);
  }
}
